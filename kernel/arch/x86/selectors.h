/*
 * Segment selectors of our GDT. The order is what SYSCALL and SYSRET want (STAR): kernel code, kernel data;
 * (empty: no 32-bit user code), user data, user code.
 */
#ifndef ARCH_X86_SELECTORS_H
#define ARCH_X86_SELECTORS_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_SYSRET_BASE 0x1b /* 0x18 | 3: SYSRET adds 8 for SS, 16 for CS */
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2b
#define SELECTOR_TSS	     0x30 /* two entries */

#endif
