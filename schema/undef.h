/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forgets the macros of the field lists, so that the next reader can give them its own meaning. */
#undef DATA
#undef TYPE
#undef WIRE
#undef KERNEL
#undef KERNEL_EXTRA
#undef COMMON
#undef VIA
#undef FIELD
#undef EXTRA
#undef OBJECT
#undef OBJECT_OR_NULL
#undef OPTIONAL
#undef EXTRA_OBJECT
#undef END
