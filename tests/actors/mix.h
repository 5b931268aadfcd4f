/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KUNAI_TESTS_MIX_H
#define KUNAI_TESTS_MIX_H

#include <stdint.h>

/* Does count operations below the directory work, those that seed decides. -1 when it could not. */
int mix_run(const char *work, uint64_t seed, unsigned count);

#endif
