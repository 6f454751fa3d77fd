/*
 * Where the parts of the kernel image lie (symbols of kernel.lds): page-aligned addresses in the KERNEL_BASE
 * mapping. Physical address of x: load_base + (x - kernel_image_start), with load_base from boot_main.
 */
#ifndef ARCH_X86_IMAGE_H
#define ARCH_X86_IMAGE_H

extern char kernel_image_start[], kernel_image_end[];
extern char kernel_text_start[], kernel_text_end[];	/* read, execute */
extern char kernel_rodata_start[], kernel_rodata_end[]; /* read */
extern char kernel_data_start[], kernel_data_end[];	/* read, write */
extern char kernel_bss_start[], kernel_bss_end[];	/* read, write; zero at the start */
extern char kernel_entry_start[],
    kernel_entry_end[]; /* inside text: what must be mapped when user code runs */
/* Page below the boot CPU's stack: to be left unmapped in the final tables. */
extern char kernel_stack_guard[];

/* The build's version (VERSION), NUL-terminated. */
extern const char kernel_version[];

#endif
