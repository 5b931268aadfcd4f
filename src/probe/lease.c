/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/harden.h"

uint64_t lease_lapsed(uint64_t renewed, uint64_t lease, uint64_t now)
{
	return now - renewed < lease ? 0 : now - renewed - lease;
}
