/* See vcpu_fake.h. */
#include "object/vcpu_fake.h"
#include "arch/x86/fpu.h"
#include "sched/remote.h"
#include "sched/sched_context.h"

/* ---- the vendor ---- */

struct fake_vendor vendor;
struct percpu cpu0;
struct percpu *percpu_host = &cpu0;
uint64_t window_host_base;

static bool vendor_init(struct percpu *p)
{
	(void)p;
	return true;
}
static void vendor_vcpu(struct vcpu *v)
{
	(void)v;
}
static void vendor_clear(struct vcpu *v)
{
	(void)v;
	vendor.clears++;
}
static void vendor_load(struct vcpu *v)
{
	(void)v;
	vendor.loads++;
}
static void vendor_unload(struct vcpu *v)
{
	(void)v;
	vendor.unloads++;
}
static enum virt_run vendor_run(struct vcpu *v)
{
	enum virt_run r = vendor.result[vendor.runs++];

	v->exit.reason = vendor.reason;
	v->exit.qualification = 0x55;
	v->entry_info = 0;
	vendor.rip += 2;
	if (r == VIRT_RUN_INTERRUPT)
		cpu0.arch.pending_vector = 0x31;
	return r;
}
static void vendor_put(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s)
{
	vendor.put_groups = groups;
	if (groups & INSULA_VS_GPR)
		for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
			v->gpr[i] = s->gpr[i];
	if (groups & INSULA_VS_IP)
		vendor.rip = s->rip;
}
static void vendor_get(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s)
{
	vendor.get_groups = groups;
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		s->gpr[i] = v->gpr[i];
	s->rip = vendor.rip;
	s->rflags = 0x202;
	s->interruptibility = 1;
	s->cr3 = 0x3000;
	if (groups & INSULA_VS_EXIT) {
		s->reason = v->exit.reason;
		s->idt_vectoring = v->exit.idt;
	}
}
static bool vendor_read(struct vcpu *v, uint32_t field, uint64_t *value)
{
	(void)v;
	if (field == VTX_FIELD_RIP) {
		*value = vendor.rip;
		return true;
	}
	vendor.field = field;
	*value = 0x77;
	return vendor.known;
}
static bool vendor_write(struct vcpu *v, uint32_t field, uint64_t *value)
{
	if (field == VTX_FIELD_RIP) {
		vendor.rip = *value;
		return true;
	}
	if (field == VTX_FIELD_PRIMARY) {
		v->primary = (uint32_t)*value;
		return true;
	}
	vendor.field = field;
	vendor.value = *value;
	*value &= 0xff;
	return vendor.known;
}
static void vendor_root(struct vcpu *v, paddr_t root, bool valid)
{
	v->ept_root = root;
	v->ept_valid = valid;
	vendor.roots++;
}
static void vendor_ioport(struct vcpu *v, uint16_t first, uint16_t last, bool allow)
{
	(void)v;
	vendor.first = first;
	vendor.last = last;
	vendor.allow = allow;
}
static const struct virt_ops vendor_ops = {
    .cpu_init = vendor_init,
    .vcpu_init = vendor_vcpu,
    .vcpu_clear = vendor_clear,
    .load = vendor_load,
    .run = vendor_run,
    .unload = vendor_unload,
    .put = vendor_put,
    .get = vendor_get,
    .read_field = vendor_read,
    .write_field = vendor_write,
    .read_msr = vendor_read,
    .write_msr = vendor_write,
    .set_ept_root = vendor_root,
    .ioport = vendor_ioport,
};
const struct virt_ops *virt = &vendor_ops;

/* ---- the kernel ---- */

word_t *const args = cpu0.args;
word_t reply;
struct cte extra;
bool root_live;
unsigned deletions;

void fpu_check(struct fpu_state *s)
{
	s->area[512] = 7;
}
void virt_guest_init(struct vcpu *v)
{
	v->primary = (uint32_t)VTX_PRIMARY_INITIAL;
}
void virt_guest_clear_exit(struct vcpu *v)
{
	memset(&v->exit, 0, sizeof(v->exit));
}
void virt_guest_load(struct vcpu *v, struct tcb *t)
{
	(void)v;
	(void)t;
}
void virt_guest_unload(struct vcpu *v, struct tcb *t)
{
	(void)v;
	(void)t;
}
ticks_t sched_context_used(const struct sched_context *sc)
{
	return sc->consumed_before;
}
void invocation_reply1(word_t w)
{
	reply = w;
}
bool asid_lookup(unsigned asid, enum asid_kind kind, paddr_t *root)
{
	assert_int_equal(asid, 5);
	assert_int_equal(kind, ASID_EPT);
	*root = paddr(0x100000);
	return root_live;
}
bool notification_poll(struct notification *n, word_t *badge)
{
	if (n->state != NOTIFICATION_ACTIVE)
		return false;
	*badge = n->badge;
	n->state = NOTIFICATION_IDLE;
	return true;
}
struct derive_result cap_derive(struct cte *slot, cap_t cap)
{
	(void)slot;
	return (struct derive_result){EXC_NONE, cap};
}
void cte_insert(cap_t cap, struct cte *src, struct cte *dst)
{
	assert_true(cap_is_null(dst->cap));
	assert_ptr_equal(src, &extra);
	dst->cap = cap;
}
exception_t cte_delete(struct cte *slot, bool exposed)
{
	(void)exposed;
	slot->cap = cap_null();
	deletions++;
	return EXC_NONE;
}
void cte_delete_one(struct cte *slot)
{
	if (cap_is_null(slot->cap))
		return;
	vcpu_state_page_gone(CONTAINER_OF(slot, struct vcpu, state_slot));
	cte_delete(slot, true);
}
void *window_ref(paddr_t page)
{
	return window_kv(page);
}
void window_unref(paddr_t page)
{
	(void)page;
}
void panic(const char *format, ...)
{
	(void)format;
	abort();
}

/* No thread of these tests is on another CPU. */
void remote_stall_slow(struct tcb *t)
{
	fail_msg("a thread of CPU %u", t->cpu);
}
