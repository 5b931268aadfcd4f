/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the current task: which file is mapped where. */
#ifndef KUNAI_BPF_EXTRACT_MEMORY_H
#define KUNAI_BPF_EXTRACT_MEMORY_H

/* Whether a call with these PROT_* asks for execution. */
static __always_inline bool prot_is_exec(u64 prot)
{
	struct task_struct *t = current_task();

	return prot & PROT_EXEC || (prot & PROT_READ && TYPED(t, personality) & READ_IMPLIES_EXEC);
}

#if KUNAI_MODERN
struct mapping {
	u64 file;
};

static long mapping_take_file(struct task_struct *t, struct vm_area_struct *vma, struct mapping *ret)
{
	ret->file = (u64)BPF_CORE_READ(vma, vm_file);
	return 0;
}
#endif

/* The file that is mapped at the address, or NULL. Kernels before 5.17 do not tell, and none does while another
 * thread changes the mappings. */
static __always_inline struct file *file_of_mapping(u64 address)
{
#if KUNAI_MODERN
	struct mapping mapping = {};

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma))
		bpf_find_vma(current_task(), address, mapping_take_file, &mapping, 0);
	return (struct file *)mapping.file;
#else
	return NULL;
#endif
}

#endif
