/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that bring modules into the kernel. */
#ifndef KUNAI_BPF_TIER_MODULE_H
#define KUNAI_BPF_TIER_MODULE_H

/* In the thread that loads it, before the module's own code runs. */
SEC("tp_btf/module_load")
int BPF_PROG(on_module_load, struct module *module)
{
	REENTRANT(ctx, on_module_load_body);
	struct module_name name = {};
	u64 key = bpf_get_current_pid_tgid();

	bpf_probe_read_kernel_str(name.text, sizeof(name.text), module->name);
	bpf_map_update_elem(&loading_modules, &key, &name, BPF_ANY);
	return 0;
}

EXIT(exit_init_module)
{
	emit_init_module(false, NULL, regs_arg(regs, 2), 0, ret);
	return 0;
}

EXIT(exit_finit_module)
{
	emit_init_module(true, file_of_fd(regs_arg(regs, 0)), regs_arg(regs, 1), (u32)regs_arg(regs, 2), ret);
	return 0;
}

#endif
