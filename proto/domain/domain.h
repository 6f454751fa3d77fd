/*
 * The domain manager's service.
 *
 * Badges: DOMAIN_BADGE_CONTROL is the control capability ("being domain 0"); a vmm's badge is DOMAIN_BADGE_VMM | domain id, and
 * DOMAIN_BADGE_PRIVILEGED too if its domain holds the control capability: then it may pass on its guest's control hypercalls.
 * Labels below; result label 0 or a negative errno. Control calls with a vmm's badge: -EPERM.
 */
#ifndef PROTO_DOMAIN_H
#define PROTO_DOMAIN_H

#include <stdint.h>

#define DOMAIN_BADGE_CONTROL 1ull
#define DOMAIN_BADGE_VMM     (1ull << 32)
#define DOMAIN_BADGE_PRIVILEGED (1ull << 33)

enum domain_call {
	/* struct domain_spec as message words -> domain id. -EINVAL, -ENOENT (module), -ENOMEM, -EEXIST (name), -ENODEV (no virtualization) */
	DOMAIN_CREATE = 1,
	/* n -> struct domain_info of the n-th domain by ascending id as words; -ENOENT past the last */
	DOMAIN_LIST,
	DOMAIN_PAUSE,    /* id; counted as in Xen */
	DOMAIN_UNPAUSE,  /* id */
	DOMAIN_DESTROY,  /* id */
	DOMAIN_SHUTDOWN, /* id, reason (SHUTDOWN_*): asks the guest (power button event where it has one) */
	DOMAIN_CONSOLE,  /* id: keyboard to it */
	/* from a vmm */
	DOMAIN_VMM_SHUTDOWN = 32, /* reason (SHUTDOWN_poweroff 0, reboot 1, suspend 2, crash 3): of the caller's domain */
	DOMAIN_VMM_READY,         /* it runs its guest's first instruction next */
	DOMAIN_VMM_LOG,           /* a line of text as words, for Insula's log; only so many of a domain are taken */
	DOMAIN_VMM_REFUSED,       /* errno, then a line of text as words: the kernel cannot be loaded; the domain is destroyed */
	DOMAIN_VMM_HYPERCALL,     /* a control hypercall of its guest: proto/control/control.h. -EPERM without DOMAIN_BADGE_PRIVILEGED */
	/* event channels to other domains (servers/domain_manager/evtchn.h) */
	DOMAIN_VMM_EVTCHN_UNBOUND, /* port, remote domain */
	DOMAIN_VMM_EVTCHN_BIND,    /* port, remote domain, remote port -> peer, channel */
	DOMAIN_VMM_EVTCHN_CLOSE,   /* port */
	DOMAIN_VMM_EVTCHN_CHANGED, /* -> port, bound, remote domain, remote port, peer, channel; -ENOENT: no other. Not bound: the last channel, or peer VMM_PEERS */
	/* guest-physical memory (servers/domain_manager/physmap.h) */
	/* gfn, domain, its gfn; 1 + gfn of a foreign page that is taken out before, or 0. -EPERM without DOMAIN_BADGE_PRIVILEGED, -ESRCH, -EEXIST, -ENOENT, -ENOMEM */
	DOMAIN_VMM_FOREIGN,
	DOMAIN_VMM_REMOVE,         /* gfn: a foreign page. -ENOENT; -EBUSY: it is one of the domain's own */
	DOMAIN_VMM_E820,           /* first entry -> entries in all, then up to 30 of them as address, size, type */
	/* grants (servers/domain_manager/grant.h) */
	DOMAIN_VMM_GRANT_PLACE,    /* index of a frame of the caller's table, gfn. -EINVAL, -EEXIST, -ENOMEM; -EPERM: of a domain that Insula itself made, other than domain 0 */
	DOMAIN_VMM_GRANT_SIZE,     /* -> frames now, frames at most */
	DOMAIN_VMM_GRANT_MAP,      /* up to DOMAIN_MAPS times struct domain_map -> of each GNTST_* as a signed word, handle */
	DOMAIN_VMM_GRANT_UNMAP,    /* up to DOMAIN_MAPS times gfn, handle -> GNTST_* of each */
	/* ballooning of a domain that a toolstack built: pages that the guest gives back, or wants where it has none; up to DOMAIN_PAGES -> how many
	 * were done before one could not be */
	DOMAIN_VMM_OUT,
	DOMAIN_VMM_IN,
	DOMAIN_VMM_RESERVATION,    /* -> pages of RAM, how many it may have at most */
	/* gfn: its page is made, if it comes on demand -> DOMAIN_NEED_*: the caller finds something there in its own address space from now on. -ENOENT: there is nothing.
	 * Where no memory is kept for it any more, the domain has crashed, and there is no answer */
	DOMAIN_VMM_NEED,
	DOMAIN_VMM_CPU_POLICY,     /* first word -> up to DOMAIN_POLICY_WORDS words of its struct cpu_policy (lib/cpu_policy), from there on. -ENOENT: its toolstack has set none */
	DOMAIN_VMM_GRANT_COPY,     /* up to DOMAIN_COPIES times struct domain_copy -> GNTST_* of each */
	/* domain; how many foreign pages are taken out before, at most DOMAIN_FOREIGNS; the gfn of each; then up to DOMAIN_FOREIGNS times gfn, its gfn -> of each
	 * of these 0 or as DOMAIN_VMM_FOREIGN, a signed word. What is to be taken out and is no foreign page is passed over */
	DOMAIN_VMM_FOREIGN_MANY,
};

#define DOMAIN_POLICY_WORDS 100u
#define DOMAIN_NEED_RAM   1u /* the guest has memory there */
#define DOMAIN_NEED_WHOLE 2u /* what was said holds for all of the aligned 2 MiB */

#define DOMAIN_COPIES 24u
#define DOMAIN_MAPS   32u
#define DOMAIN_FOREIGNS 32u
#define DOMAIN_PAGES  64u

/* What GNTTABOP_map_grant_ref is given, in words. */
struct domain_map {
	uint64_t gfn;
	uint32_t domain, ref;
	uint32_t flags; /* GNTMAP_* */
	uint32_t reserved;
};

/* What GNTTABOP_copy is given, in words. */
struct domain_copy {
	uint64_t source, dest; /* reference or page */
	uint16_t source_domain, dest_domain, source_offset, dest_offset;
	uint16_t flags; /* GNTCOPY_* */
	uint16_t bytes;
	uint32_t reserved;
};

#define DOMAIN_VCPUS_MAX 32u

/* domain_spec.flags */
#define DOMAIN_SPEC_CONTROL 1u /* domain 0, which holds the control capability; -EEXIST if there is one */

struct domain_spec {
	char name[32];
	char kernel[64];  /* module names */
	char ramdisk[64]; /* empty: none */
	char cmdline[512];
	uint32_t memory_mib;
	uint32_t vcpus;
	uint32_t flags;
	uint32_t reserved;
};

enum domain_state {
	DOMAIN_RUNNING = 1, /* some vCPU can run */
	DOMAIN_BLOCKED = 2,
	DOMAIN_PAUSED = 4,
	DOMAIN_SHUTDOWN_DONE = 8,
	DOMAIN_CRASHED = 16,
	DOMAIN_DYING = 32, /* destroyed; others have pages of its mapped */
};

struct domain_info {
	char name[32];
	uint32_t id;
	uint32_t state; /* enum domain_state bits */
	uint32_t vcpus;
	uint32_t shutdown_reason;
	uint64_t memory_kib;      /* guest RAM */
	uint64_t overhead_kib;    /* account beyond it */
	uint64_t cpu_ns;
	uint32_t placed; /* vCPUs that have a CPU */
	uint16_t cpu[DOMAIN_VCPUS_MAX];
};

#endif
