/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/harden.h"
#include "tap.h"

#define SECOND UINT64_C(1000000000)

int main(void)
{
	is_u64(lease_lapsed(0, SECOND, 0), 0, "a lease that was renewed now holds");
	is_u64(lease_lapsed(5 * SECOND, SECOND, 6 * SECOND - 1), 0, "up to its last nanosecond");
	is_u64(lease_lapsed(5 * SECOND, SECOND, 6 * SECOND), 0, "at its end it was off for no time yet");
	is_u64(lease_lapsed(5 * SECOND, SECOND, 6 * SECOND + 1), 1, "then for one nanosecond");
	is_u64(lease_lapsed(5 * SECOND, 10 * SECOND, 75 * SECOND), 60 * SECOND, "and for a minute");
	is_u64(lease_lapsed(5 * SECOND, SECOND, 4 * SECOND), 0, "a clock that is behind is no lapse");
	return done_testing();
}
