/* Interrupt control and handlers (IOAPIC, MSI), and the signal at an interrupt. */
#ifndef OBJECT_IRQ_H
#define OBJECT_IRQ_H

#include "cap/cte.h"

/* Boot, before the first thread: IRQ_VECTOR_COUNT empty slots in the window, for the notifications. */
void irq_init(struct cte *slots);
exception_t irq_control_decode(word_t label, unsigned length, struct cte *slot);
exception_t irq_handler_decode(word_t label, unsigned length, cap_t cap);
/* The last handler capability goes: mask, drop the notification. EXC_PREEMPTED as cte_delete(). */
exception_t irq_handler_drain(unsigned irq);
void irq_handler_release(unsigned irq);  /* slot is empty: the vector is free again */
/* Device interrupt with hardware vector 0x30 + irq arrived: mask if level, signal, EOI. */
void irq_dispatch(unsigned irq);

#endif
