/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/golden/cases.h"

const struct golden_case golden_cases[] = {
#define CASE(name, lines) {#name, run_##name, lines},
#include "tests/golden/cases.def"
#undef CASE
};

const uint32_t golden_case_count = sizeof(golden_cases) / sizeof(*golden_cases);
