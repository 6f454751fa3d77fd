/*
 * What the tests of vCPU objects stand on: a vendor that does what the test says, and the few functions of
 * the kernel that VMEnter and the invocations call.
 */
#ifndef OBJECT_VCPU_FAKE_H
#define OBJECT_VCPU_FAKE_H

#include "api/invocation.h"
#include "arch/x86/virt/virt_guest.h"
#include "ipc/notification.h"
#include "object/tcb.h"
#include "object/vcpu_private.h"
#include "ipc/reply.h"
#include "object/vspace.h"
#include "panic.h"
#include "percpu.h"
#include "sched/sched_context.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fake_vendor {
	enum virt_run result[4]; /* of each run */
	uint64_t reason;
	unsigned runs, loads, unloads, clears, roots;
	uint64_t rip, put_groups, get_groups, field, value;
	bool known;
	uint16_t first, last; /* of the last ioport() */
	bool allow;
};
extern struct fake_vendor vendor;
extern struct percpu cpu0;
extern word_t *const args; /* of the next decode */
extern word_t reply;	   /* of the last */
extern struct cte extra;   /* its extra capability */
extern bool root_live;	   /* asid_lookup finds the EPT root */
extern unsigned deletions;

#endif
