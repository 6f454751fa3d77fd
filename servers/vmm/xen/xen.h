/*
 * The Xen 4.17 guest ABI, as the vmm answers it. Numbers, structures and error codes are those of the public headers
 * (libxen-dev). One file per hypercall; each handler has the form
 *     int64_t x_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
 * and returns what the guest finds in RAX. Arguments are registers as the ABI says (64-bit: RDI RSI RDX R10 R8; 32-bit: EBX ECX
 * EDX ESI EDI); pointers among them are guest-virtual, read once by guest_read, or by argument_read (argument.h) where the 32-bit ABI has another layout.
 */
#ifndef XEN_XEN_H
#define XEN_XEN_H

#include "servers/vmm/vmm.h"

#include <xen/errno.h>
#include <xen/xen.h>

int64_t version_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t memory_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t event_channel_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t sched_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t set_timer_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t vcpu_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t hvm_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t grant_table_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t console_io_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t multicall_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t vm_assist_op(struct vcpu *v, const uint64_t arg[5], bool abi32);
int64_t physdev_op(struct vcpu *v, const uint64_t arg[5], bool abi32);

/* Why a domain without the control capability cannot name this one, which is not its own: the reserved numbers are no domain's. */
static inline int64_t xen_other_domain(uint32_t domain)
{
	return domain >= DOMID_FIRST_RESERVED ? -XEN_ESRCH : -XEN_EPERM;
}

/* One hypercall by number, without touching RAX: for multicall. */
int64_t hypercall_call(struct vcpu *v, uint64_t number, const uint64_t arg[5], bool abi32);

/* ---- evtchn.c: event channels ---- */
enum evtchn_state { EVTCHN_FREE, EVTCHN_RESERVED, EVTCHN_UNBOUND, EVTCHN_INTERDOMAIN, EVTCHN_VIRQ, EVTCHN_IPI, EVTCHN_CONSOLE,
		    EVTCHN_REMOTE };
void evtchn_init(void);
/* Makes the port pending and kicks its vCPU. Under vmm_lock. */
void evtchn_set_pending(uint32_t port);
bool evtchn_is_pending(uint32_t port);
/* A port whose other end is the vmm itself (console, later xenstore): returns it or a negative errno. */
int32_t evtchn_alloc_server_port(enum evtchn_state kind);
/* Signals of other domains' vmms: bits of a notification's badge. Under vmm_lock. */
void evtchn_remote_event(uint64_t badge);
/* vcpu_info of v moved (registered): re-deliver what is pending. */
void evtchn_vcpu_info_changed(struct vcpu *v);
/* Some event became pending for v: sets evtchn_upcall_pending and asserts its upcall. */
void evtchn_upcall(struct vcpu *v);
/* If v's upcall is pending, its own vector is asserted once more: it is another now, or the LAPIC was reset. Under vmm_lock. */
void evtchn_upcall_again(struct vcpu *v);

/* ---- control.c: what only the holder of the control capability may ---- */
void control_init(void);
bool control_allowed(void);
/* One control hypercall with the arguments of the guest's registers; -EPERM in a domain without the capability. */
int64_t control_call(struct vcpu *v, uint64_t number, const uint64_t arg[5]);

/* ---- shared_info.c ---- */
void shared_info_init(void);
void *shared_info_page(void);              /* 4 KiB, in guest memory once placed, before that the vmm's */
int64_t shared_info_place(uint64_t gfn);   /* XENMAPSPACE_shared_info */
bool shared_info_is_at(uint64_t g);        /* guest-physical page */
int64_t vcpu_info_register(struct vcpu *v, uint64_t gfn, uint32_t offset);
/*
 * The page has the 32-bit ABI's layout or the 64-bit one's: that of the mode in which the guest last set its hypercall page or HVM_PARAM_CALLBACK_IRQ, as Xen
 * latches it. What is in it stays, but for the wall clock, which is where the new layout has it. Under vmm_lock.
 */
void shared_info_latch(const struct vcpu *v);
/* Ports that the 2-level ABI has: 1,024 or 4,096. */
uint32_t shared_info_ports(void);
/* The word that has the bit (port % 32) of a port below that. */
uint32_t *shared_info_pending(uint32_t port);
uint32_t *shared_info_mask(uint32_t port);
/* v's vcpu_info: evtchn_upcall_pending, evtchn_upcall_mask; evtchn_pending_sel's bit of a port is set: true if it was before; all of them are. */
uint8_t *vcpu_info_upcall_pending(const struct vcpu *v);
uint8_t *vcpu_info_upcall_mask(const struct vcpu *v);
bool vcpu_info_select(const struct vcpu *v, uint32_t port);
void vcpu_info_select_all(const struct vcpu *v);

int64_t runstate_get(struct vcpu *of, struct vcpu *v, uint64_t to, bool abi32);
int64_t runstate_register(struct vcpu *of, struct vcpu *v, uint64_t area, bool abi32);

/* ---- grant.c ---- */
void grant_init(void);
int64_t grant_place(uint64_t gfn, uint64_t index); /* XENMAPSPACE_grant_table */
bool grant_is_at(uint64_t g); /* a frame is at this guest-physical page */

/* ---- hvm.c ---- */
void hvm_init(void);
/* The domain's callback vector, 0 if it has none. */
uint8_t hvm_callback_vector(void);
void hvm_param_set(unsigned i, uint64_t value);

/* Something is not there: logged once per (kind, number), by name. */
void xen_log_once(const char *what, uint64_t number);

#endif
