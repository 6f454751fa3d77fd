// links: kernel/arch/x86/smp/smp_fake.c
/*
 * VMEnter and the invocations on vCPUs, with a vendor that does what the test says: both forms of the
 * message, what ends a guest's turn before it begins, refusals, bindings, ports.
 */
// links: kernel/object/vcpu_fake.c kernel/object/vcpu_io.c kernel/object/vcpu_message.c kernel/api/error.c
#include "object/vcpu_fake.h"

/* ---- the scene: a thread with a vCPU and an EPT root ---- */

static struct tcb *t;
static struct vcpu *v;
static struct notification n;
static struct sched_context sc;
static struct insula_vcpu_state *page;
static word_t buffer[128];

static int setup(void **state)
{
	(void)state;
	memset(&vendor, 0, sizeof(vendor));
	vendor.known = true;
	vendor.reason = 10;
	t = aligned_alloc(4096, 4096);
	memset(t, 0, 4096);
	v = aligned_alloc(1 << 14, sizeof(*v));
	memset(v, 0, sizeof(*v));
	page = aligned_alloc(4096, 4096);
	memset(page, 0, 4096);
	memset(&sc, 0, sizeof(sc));
	memset(&n, 0, sizeof(n));
	memset(&extra, 0, sizeof(extra));
	cpu0 = (struct percpu){.entry.self = &cpu0, .current = t};
	cpu0.arch.pending_vector = -1;
	t->sc = &sc;
	t->state = THREAD_RUNNING;
	t->ipc_buffer_kv = buffer;
	t->ipc_buffer_writable = true;
	t->slot[TCB_EPT_ROOT].cap = cap_paging_with_is_mapped(
	    cap_paging_with_asid(cap_paging_with_ptr(cap_of_type(CAP_EPT_PML4), 0x100000), 5), 1);
	root_live = true;
	vcpu_init(v);
	v->tcb = t;
	t->vcpu = v;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(t);
	free(v);
	free(page);
	return 0;
}

static exception_t decode(word_t label, unsigned length, cap_t cap)
{
	cpu0.arg_count = length;
	cpu0.extra_caps[0] = cap_is_null(cap) ? NULL : &extra;
	extra.cap = cap;
	return vcpu_decode(label, length, cap_paging_with_ptr(cap_of_type(CAP_VCPU), window_pa(v).v));
}

static void message(word_t rip, word_t primary, word_t event)
{
	t->ctx.r10 = rip;
	t->ctx.r8 = primary;
	t->ctx.r9 = event;
}

static cap_t frame(void)
{
	return cap_frame_new(window_pa(page), FRAME_4K, false, CAP_RIGHT_READ | CAP_RIGHT_WRITE);
}

/* ---- the message form ---- */

static void test_message(void **state)
{
	(void)state;
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		v->gpr[i] = 100 + i;
	message(0x1000, 0x84, 0x80000041);
	vcpu_enter_syscall();
	assert_int_equal(t->state, THREAD_RUNNING_VM);
	assert_int_equal(v->entry_info, 0x80000041);
	assert_int_equal(v->primary, 0x84);
	vendor.result[0] = VIRT_RUN_AGAIN;
	vendor.result[1] = VIRT_RUN_EXIT;
	vcpu_run(t);
	assert_int_equal(vendor.runs, 2);
	assert_int_equal(vendor.loads, 1);
	assert_int_equal(vendor.unloads, 1);
	assert_int_equal(t->state, THREAD_RUNNING);
	assert_int_equal(t->ctx.rsi, 1);
	assert_int_equal(t->ctx.rdi, 0);
	assert_int_equal(t->ctx.r10, 0x1004);
	assert_int_equal(t->ctx.r8, 0x84);
	assert_int_equal(t->ctx.r9, 0);
	assert_int_equal(t->ctx.r15, 10);
	assert_int_equal(buffer[1 + 4], 0x55);
	assert_int_equal(buffer[1 + 7], 0x202);
	assert_int_equal(buffer[1 + 8], 1);
	assert_int_equal(buffer[1 + 9], 0x3000);
	assert_int_equal(buffer[1 + 10], 100 + INSULA_RAX);
	assert_int_equal(buffer[1 + 11], 100 + INSULA_RBX);
	assert_int_equal(buffer[1 + 12], 100 + INSULA_RCX);
	assert_int_equal(buffer[1 + 13], 100 + INSULA_RDX);
	assert_int_equal(buffer[1 + 14], 100 + INSULA_RSI);
	assert_int_equal(buffer[1 + 15], 100 + INSULA_RDI);
	assert_int_equal(buffer[1 + 16], 100 + INSULA_RBP);
	assert_int_equal(buffer[1 + 17], 100 + INSULA_R8);
	assert_int_equal(buffer[1 + 24], 100 + INSULA_R15);
}

static void test_message_without_buffer(void **state)
{
	(void)state;
	t->ipc_buffer_kv = NULL;
	message(0x1000, 0x80, 0);
	vcpu_enter_syscall();
	vendor.result[0] = VIRT_RUN_EXIT;
	vcpu_run(t);
	assert_int_equal(t->ctx.r15, 10);
}

/* A thread taken out of its guest finds the message that goes on from there. */
static void test_leave(void **state)
{
	(void)state;
	message(0x1000, 0x80, 0);
	vcpu_enter_syscall();
	vendor.result[0] = VIRT_RUN_INTERRUPT;
	vcpu_run(t);
	assert_int_equal(t->state, THREAD_RUNNING_VM);
	vcpu_leave(t);
	assert_int_equal(t->ctx.r10, 0x1002);
	assert_int_equal(t->state, THREAD_RUNNING_VM);
}

/* ---- the state page ---- */

static void test_state_page(void **state)
{
	struct insula_vcpu_fpu *fpu;

	(void)state;
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, frame()), EXC_NONE);
	assert_ptr_equal(v->state, page);
	assert_int_equal(cap_frame_map(v->state_slot.cap), FRAME_KERNEL);
	page->dirty = ~UINT64_C(0);
	page->wanted = ~UINT64_C(0) & ~(uint64_t)INSULA_VS_USED;
	page->window = ~UINT64_C(0) & ~UINT64_C(1);
	page->entry_info = ~UINT64_C(0);
	page->entry_error = 0x1234;
	page->entry_length = 0xff;
	page->rip = 0x5000;
	fpu = (struct insula_vcpu_fpu *)(void *)((uint8_t *)page + INSULA_FPU_OFFSET);
	memset(fpu, 0xee, sizeof(*fpu));
	vcpu_enter_syscall();
	assert_int_equal(v->fpu.area[0], 0xee);
	assert_int_equal(v->fpu.area[512], 7); /* checked after it was copied */
	assert_int_equal(fpu->area[512], 0xee);
	assert_int_equal(page->dirty, 0);
	assert_int_equal(page->entry_info >> 31 & 1, 0);
	assert_int_equal(v->entry_info, 0x80000fff);
	assert_int_equal(v->entry_length, 15);
	assert_int_equal(v->primary & VTX_PRIMARY_NMI_WINDOW, VTX_PRIMARY_NMI_WINDOW);
	assert_int_equal(v->primary & VTX_PRIMARY_INTERRUPT_WINDOW, 0);
	assert_int_equal(vendor.put_groups & ~0xbfull, 0); /* never the exit's */
	vendor.result[0] = VIRT_RUN_EXIT;
	sc.consumed_before = 77;
	vcpu_run(t);
	assert_int_equal(t->ctx.rsi, 1);
	assert_int_equal(page->reason, 10);
	assert_int_equal(page->rip, 0x5002);
	assert_int_equal(page->valid, 0xff | INSULA_VS_FPU);
	assert_memory_equal(fpu->area, v->fpu.area, sizeof(fpu->area));
	assert_int_equal(page->used_ticks, 0); /* an exit costs enough */
	/* nothing dirty: nothing is taken */
	vendor.put_groups = 0;
	page->window = 0;
	page->wanted = 0;
	v->fpu.area[1] = 1;
	vcpu_enter_syscall();
	assert_int_equal(vendor.put_groups, 0);
	assert_int_equal(v->primary & (VTX_PRIMARY_NMI_WINDOW | VTX_PRIMARY_INTERRUPT_WINDOW), 0);
	vcpu_deliver_signal(t, 0x99);
	assert_int_equal(page->reason, VCPU_REASON_NONE);
	assert_int_equal(page->used_ticks, 77);
	assert_int_equal(page->valid, (0x7f | INSULA_VS_USED) & ~(INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG));
	assert_int_equal(fpu->area[1], 0xee); /* nor given */
	/* but for who wants it */
	sc.consumed_before = 78;
	page->wanted |= INSULA_VS_USED;
	vcpu_run(t);
	assert_int_equal(page->reason, 10);
	assert_int_equal(page->used_ticks, 78);
	assert_true(page->valid & INSULA_VS_USED);
	/* removed: the message form again */
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, cap_null()), EXC_NONE);
	assert_null(v->state);
	assert_true(cap_is_null(v->state_slot.cap));
}

static void test_state_page_refused(void **state)
{
	(void)state;
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, cap_of_type(CAP_TCB)), EXC_SYSCALL_ERROR);
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, cap_frame_with_device(frame(), 1)),
			 EXC_SYSCALL_ERROR);
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, cap_frame_with_size(frame(), FRAME_2M)),
			 EXC_SYSCALL_ERROR);
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, cap_frame_with_rights(frame(), CAP_RIGHT_READ)),
			 EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_InvalidCapability);
	assert_null(v->state);
}

/* ---- what ends a turn before it begins ---- */

static void test_pending_signal(void **state)
{
	(void)state;
	assert_int_equal(decode(InsulaVCPUSetStatePage, 0, frame()), EXC_NONE);
	n.state = NOTIFICATION_ACTIVE;
	n.badge = 0x40;
	t->bound_notification = &n;
	page->entry_info = 0x80000041;
	vcpu_enter_syscall();
	assert_false(vcpu_run(t)); /* it only looks: to take the signal needs the lock */
	assert_int_equal(vendor.runs, 0);
	assert_int_equal(vendor.loads, 0);
	assert_int_equal(t->state, THREAD_RUNNING_VM);
	assert_int_equal(cpu0.arch.guest_root, 0);
	vcpu_take_signal(t);
	assert_int_equal(t->state, THREAD_RUNNING);
	assert_int_equal(t->ctx.rsi, 0);
	assert_int_equal(t->ctx.rdi, 0x40);
	assert_int_equal(page->reason, UINT64_MAX);
	assert_int_equal(page->idt_vectoring, 0x80000041); /* it has not gone in: it is the VMM's again */
	assert_int_equal(v->entry_info, 0);
	vcpu_enter_syscall();
	vendor.result[0] = VIRT_RUN_EXIT;
	vcpu_run(t);
	assert_int_equal(t->ctx.rsi, 1);
}

static void test_pending_interrupt(void **state)
{
	(void)state;
	message(0x1000, 0x80, 0);
	vcpu_enter_syscall();
	cpu0.arch.pending_vector = 0x40;
	assert_false(vcpu_run(t));
	assert_int_equal(vendor.runs, 0);
	assert_int_equal(t->state, THREAD_RUNNING_VM);
}

static void test_signal_while_running(void **state)
{
	(void)state;
	message(0x1000, 0x80, 0);
	vcpu_enter_syscall();
	vendor.result[0] = VIRT_RUN_INTERRUPT;
	assert_false(vcpu_run(t));
	vcpu_deliver_signal(t, 0x99);
	assert_int_equal(t->state, THREAD_RUNNING);
	assert_int_equal(t->ctx.rsi, 0);
	assert_int_equal(t->ctx.rdi, 0x99);
	assert_int_equal(t->ctx.r10, 0x1002);
}

/* ---- refusals ---- */

static void assert_refused(void)
{
	assert_int_equal(t->state, THREAD_RUNNING);
	assert_int_equal(t->ctx.rsi, 1);
	assert_int_equal(t->ctx.r15, UINT64_MAX);
	assert_int_equal(vendor.runs, 0);
}

static void test_refused(void **state)
{
	struct reply r;

	(void)state;
	message(0x1000, 0x80, 0);
	sc.reply = &r; /* donated */
	vcpu_enter_syscall();
	assert_refused();
	sc.reply = NULL;
	t->ctx.r15 = 0;
	root_live = false;
	vcpu_enter_syscall();
	assert_true(vcpu_run(t));
	assert_int_equal(cpu0.arch.guest_root, 0);
	assert_refused();
	root_live = true;
	t->ctx.r15 = 0;
	t->slot[TCB_EPT_ROOT].cap = cap_null();
	vcpu_enter_syscall();
	vcpu_run(t);
	assert_refused();
	t->ctx.r15 = 0;
	vcpu_unbind_tcb(t);
	vcpu_enter_syscall();
	assert_refused();
}

static void test_unbind_while_running(void **state)
{
	(void)state;
	message(0x1000, 0x80, 0);
	vcpu_enter_syscall();
	vcpu_finalise(v);
	assert_refused();
	assert_null(t->vcpu);
	assert_null(v->tcb);
	assert_true(vendor.clears > 0);
}

static void test_root_is_set_once(void **state)
{
	(void)state;
	message(0x1000, 0x80, 0);
	for (unsigned i = 0; i < 2; i++) {
		vcpu_enter_syscall();
		vendor.result[i] = VIRT_RUN_EXIT;
		vcpu_run(t);
	}
	assert_int_equal(vendor.roots, 1);
}

/* ---- invocations ---- */

static void test_access(void **state)
{
	(void)state;
	args[0] = 0x6800;
	args[1] = 0x1234;
	assert_int_equal(decode(X86VCPUReadVMCS, 1, cap_null()), EXC_NONE);
	assert_int_equal(reply, 0x77);
	assert_int_equal(decode(X86VCPUWriteVMCS, 2, cap_null()), EXC_NONE);
	assert_int_equal(reply, 0x34); /* what was stored */
	assert_int_equal(decode(X86VCPUWriteVMCS, 1, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_TruncatedMessage);
	assert_int_equal(decode(X86VCPUReadMSR, 0, cap_null()), EXC_SYSCALL_ERROR);
	args[0] = 0x100006800;
	assert_int_equal(decode(X86VCPUReadVMCS, 1, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_IllegalOperation);
	args[0] = 0x6c00;
	vendor.known = false;
	assert_int_equal(decode(X86VCPUReadVMCS, 1, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_IllegalOperation);
	assert_int_equal(decode(1, 4, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_IllegalOperation);
}

static void test_write_registers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 15; i++)
		args[i] = 50 + i;
	assert_int_equal(decode(X86VCPUWriteRegisters, 14, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(decode(X86VCPUWriteRegisters, 15, cap_null()), EXC_NONE);
	assert_int_equal(v->gpr[INSULA_RAX], 50);
	assert_int_equal(v->gpr[INSULA_RBX], 51);
	assert_int_equal(v->gpr[INSULA_RCX], 52);
	assert_int_equal(v->gpr[INSULA_RSI], 54);
	assert_int_equal(v->gpr[INSULA_RBP], 56);
	assert_int_equal(v->gpr[INSULA_R8], 57);
	assert_int_equal(v->gpr[INSULA_R15], 64);
}

static cap_t ports(uint16_t first, uint16_t last)
{
	return cap_ioport_with_last(cap_ioport_with_first(cap_of_type(CAP_IOPORT), first), last);
}

static void test_ports(void **state)
{
	struct vcpu *other;
	cap_t c;

	(void)state;
	args[0] = 0x60;
	args[1] = 0x64;
	assert_int_equal(decode(X86VCPUEnableIOPort, 2, ports(0x60, 0x63)), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_InvalidArgument);
	assert_int_equal(cpu0.error.arg[0], 0);
	assert_int_equal(decode(X86VCPUEnableIOPort, 2, cap_null()), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_TruncatedMessage);
	assert_int_equal(decode(X86VCPUEnableIOPort, 2, ports(0x60, 0x6f)), EXC_NONE);
	assert_true(vendor.allow);
	assert_int_equal(vendor.first, 0x60);
	assert_int_equal(vendor.last, 0x64);
	/* the capability goes: so do all its ports */
	vcpu_io_gone(extra.cap);
	assert_false(vendor.allow);
	assert_int_equal(vendor.last, 0x6f);
	/* given to another vCPU: the first loses them */
	assert_int_equal(decode(X86VCPUEnableIOPort, 2, ports(0x60, 0x6f)), EXC_NONE);
	c = extra.cap;
	other = v;
	v = aligned_alloc(1 << 14, sizeof(*v));
	memset(v, 0, sizeof(*v));
	vcpu_init(v);
	assert_true(v->id != other->id);
	assert_int_equal(decode(X86VCPUEnableIOPort, 2, c), EXC_NONE);
	assert_int_equal(cap_ioport_vcpu(extra.cap), v->id);
	/* the vCPU is gone: its id names nothing */
	vcpu_finalise(v);
	vendor.first = 0;
	vcpu_io_gone(extra.cap);
	assert_int_equal(vendor.first, 0);
	free(v);
	v = other;
	vcpu_finalise(v);
}

static void test_bind(void **state)
{
	struct tcb *u = aligned_alloc(4096, 4096);

	(void)state;
	memset(u, 0, 4096);
	assert_int_equal(decode(X86VCPUSetTCB, 0, cap_of_type(CAP_VCPU)), EXC_SYSCALL_ERROR);
	assert_int_equal(decode(X86VCPUSetTCB, 0, cap_paging_with_ptr(cap_of_type(CAP_TCB), window_pa(u).v)),
			 EXC_NONE);
	assert_ptr_equal(v->tcb, u);
	assert_ptr_equal(u->vcpu, v);
	assert_null(t->vcpu);
	vcpu_finalise(v);
	assert_null(u->vcpu);
	free(u);
}

static void test_ept_root(void **state)
{
	cap_t tcb = cap_paging_with_ptr(cap_of_type(CAP_TCB), window_pa(t).v);
	cap_t root = t->slot[TCB_EPT_ROOT].cap;

	(void)state;
	cpu0.extra_caps[0] = NULL;
	assert_int_equal(tcb_set_ept_root_decode(0, tcb), EXC_SYSCALL_ERROR);
	cpu0.extra_caps[0] = &extra;
	extra.cap = tcb;
	assert_int_equal(tcb_set_ept_root_decode(0, tcb), EXC_SYSCALL_ERROR);
	assert_int_equal(cpu0.error.type, seL4_IllegalOperation);
	extra.cap = root;
	deletions = 0;
	assert_int_equal(tcb_set_ept_root_decode(0, tcb), EXC_NONE);
	assert_int_equal(deletions, 1);
	assert_int_equal(cap_type(t->slot[TCB_EPT_ROOT].cap), CAP_EPT_PML4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_message, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_message_without_buffer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_leave, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_state_page, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_state_page_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pending_signal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pending_interrupt, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_signal_while_running, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unbind_while_running, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_root_is_set_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_access, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_write_registers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ports, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bind, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_ept_root, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
