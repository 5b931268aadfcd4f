/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kinds of rows that the reader of fields.def gave no meaning are passed over. */
#ifndef DATA
#define DATA(event, doc)
#endif
#ifndef WIRE
#define WIRE(name, kind, doc)
#endif
#ifndef KERNEL
#define KERNEL(name, kind, doc)
#endif
#ifndef KERNEL_EXTRA
#define KERNEL_EXTRA(name, kind, doc)
#endif
#ifndef COMMON
#define COMMON
#endif
#ifndef FIELD
#define FIELD(name, kind, doc)
#endif
#ifndef EXTRA
#define EXTRA(name, kind, doc)
#endif
#ifndef OBJECT
#define OBJECT(name, type, doc)
#endif
#ifndef OBJECT_OR_NULL
#define OBJECT_OR_NULL(name, type, doc)
#endif
#ifndef OPTIONAL
#define OPTIONAL(name, type, doc)
#endif
#ifndef EXTRA_OBJECT
#define EXTRA_OBJECT(name, type, doc)
#endif
#ifndef END
#define END(event)
#endif
