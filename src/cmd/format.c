/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"

int cmd_read_format(const struct cmd_context *ctx, const struct config_option *option, bool *ret_text)
{
	const struct cmd_value *format = cmd_find_value(ctx, option);

	*ret_text = format && strcmp(format->text, "text") == 0;
	if (format && !*ret_text && strcmp(format->text, "json") != 0)
		return cmd_fail_usage("option '--format': expected json or text");
	return EXIT_SUCCESS;
}

/* https://no-color.org: set and not empty */
bool cmd_wants_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fd) && terminal && strcmp(terminal, "dumb") != 0;
}
