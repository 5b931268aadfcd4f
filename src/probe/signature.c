/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/signature.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

enum { NAME_SIZE = 96 };

/* typedef void (*btf_trace_<tracepoint>)(void *, ...): the first argument is the tracepoint's own. */
static const struct btf_type *prototype_of(const struct btf *btf, const char *tracepoint)
{
	char name[NAME_SIZE];
	const struct btf_type *t;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	t = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
	if (!t || !btf_is_ptr(t))
		return NULL;
	t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) && btf_vlen(t) > 0 ? t : NULL;
}

int signature_read(const struct btf *btf, const char *tracepoint, struct signature *ret)
{
	const struct btf_type *prototype = btf ? prototype_of(btf, tracepoint) : NULL;
	struct signature s = {0};

	if (!prototype)
		return -ENOENT;
	s.arguments = btf_vlen(prototype) - 1;
	const struct btf_param *p = btf_params(prototype) + 1;
	while (s.pointers < s.arguments && btf_is_ptr(btf__type_by_id(btf, p[s.pointers].type)))
		s.pointers++;
	*ret = s;
	return 0;
}
