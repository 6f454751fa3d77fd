/*
 * Address spaces that show the task's own image at the same addresses: a thread there runs the same code on
 * the same data, in another VSpace with its own ASID. The image must lie within one page table (2 MiB from
 * its start).
 */
#ifndef ROOTTASK_SPACE_H
#define ROOTTASK_SPACE_H

#include "sel4/sel4.h"

/* Returns the VSpace's capability. A failure ends the task. */
seL4_CPtr space_new(void);

/* The frame under an address of the image, mapped in the first thread's VSpace. */
seL4_CPtr space_image_frame(const void *address);

#endif
