/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a configuration file: no crash, and what is accepted survives a dump and a second reading. */
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_round_trip(const struct config *config)
{
	struct config_messages messages = {0};
	struct buf first = {0}, second = {0};
	struct config again;

	require(config_dump(config, &first) == 0);
	require(config_load_text(first.p, first.len, &again, &messages) == 0);
	require(messages.count == 0 && messages.dropped == 0);
	require(config_dump(&again, &second) == 0);
	require(str_eq(buf_str(&first), buf_str(&second)));

	config_fini(&again);
	config_messages_fini(&messages);
	buf_fini(&first);
	buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_messages messages = {0};
	struct config config;

	int err = config_load_text((const char *)data, size, &config, &messages);
	require((err == 0) == (messages.errors == 0));
	if (!err) {
		check_round_trip(&config);
		config_fini(&config);
	}
	config_messages_fini(&messages);
	return 0;
}
