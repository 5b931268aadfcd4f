/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/harden.h"

uint64_t lease_lapsed(uint64_t renewed, uint64_t lease, uint64_t now)
{
	int64_t over = (int64_t)(now - renewed - lease);

	return over < 0 ? 0 : (uint64_t)over;
}
