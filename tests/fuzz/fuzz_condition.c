/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a condition, and as the expression of an operand. */
#include <stdlib.h>

#include "detect/interpret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum truth operand(void *context, uint32_t index)
{
	(void)context;
	if (index >= 4)
		abort();
	return (enum truth)(index % 3);
}

static void parse_condition(struct str text, struct arena *a)
{
	static const struct str operands[] = {STR("$a"), STR("$b"), STR("$p1"), STR("$p2")};
	bool used[4] = {0};
	const struct condition_input input = {
		.text = text, .operands = operands, .operand_count = 4, .ret_used = used};
	struct syntax_error error;
	struct condition c;

	if (condition_parse(&input, a, &c, &error) == 0)
		condition_evaluate(&c, operand, NULL);
	else if (error.offset > text.len)
		abort();
}

static void parse_expression(struct str text, struct arena *a)
{
	const struct value value = {.kind = VALUE_STR, .s = text};
	struct syntax_error error;
	struct expression e;

	if (expression_parse(text, a, &e, &error) == 0) {
		if (e.kind == EXPRESSION_DIRECT && e.op != OP_REGEX)
			compare_literal(&e, &value);
	} else if (error.offset > text.len) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, (uint32_t)size};
	struct arena a = {0};

	parse_condition(text, &a);
	parse_expression(text, &a);
	arena_fini(&a);
	return 0;
}
