/*
 * Root, the machine's first thread: takes over what the kernel hands out, starts the servers, then serves them. One thread, one endpoint: calls of
 * servers and faults of all processes' threads arrive there. It holds no policy, and never calls anyone.
 */
#include <string.h>
#include "proto/root/root.h"
#include "sel4/sel4.h"
#include "servers/root/boot.h"
#include "servers/root/bootinfo.h"
#include "servers/root/cpu_hw.h"
#include "servers/root/fault.h"
#include "servers/root/machine.h"
#include "servers/root/memory.h"
#include "servers/root/module.h"
#include "servers/root/program.h"
#include "servers/root/servers.h"
#include "servers/root/service.h"
#include "servers/root/task.h"
#include "user/log.h"
#include "user/malloc.h"
#include "user/message.h"
#include "user/start.h"

#define HEAP_BYTES (768u << 10) /* bookkeeping of memory blocks: one for two slots of the CNode */

static struct bootinfo main_boot;
static struct task_env main_env;
static uint8_t main_heap[HEAP_BYTES] __attribute__((aligned(64)));
static seL4_CPtr main_endpoint, main_reply;

static const char *const main_programs[] = {"console", "domain_manager", "monitor", "vmm"};

void boot_start(const seL4_BootInfo *bi)
{
	memcpy(main_env.name, "root", sizeof("root"));
	main_boot.bi = bi;
	start_process(&main_env, (seL4_IPCBuffer *)bi->ipcBuffer);
}

static void main_stop(const char *why)
{
	log_line("root: %s; the machine stops here", why);
	for (;;)
		(void)seL4_TCB_Suspend(seL4_CapInitThreadTCB);
}

static void main_environment(void)
{
	const struct insula_bi_machine *m = main_boot.machine;

	main_env.magic = TASK_ENV_MAGIC;
	main_env.cpu_count = (uint32_t)main_boot.bi->numNodes;
	if (m) {
		main_env.tsc_hz = m->tsc_hz;
		main_env.virt = m->virt;
		main_env.virt_features = m->virt_features;
	}
	main_env.wall_ns_at_tsc0 = machine_wall_ns(main_env.tsc_hz);
}

static void main_begin(void)
{
	const seL4_BootInfo *bi = main_boot.bi;
	const uint8_t *archive;
	uint64_t bytes = 0;

	malloc_begin(main_heap, sizeof(main_heap));
	if (!bootinfo_read(&main_boot, bi, (const uint8_t *)bi + 4096, bi->extraLen))
		log_line("root: the kernel's boot information is damaged");
	if (!memory_begin(&main_boot))
		main_stop("too many blocks of memory");
	(void)seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, ROOT_PRIORITY_ROOT);
	main_endpoint = memory_object(seL4_EndpointObject, 0);
	main_reply = memory_object(seL4_ReplyObject, 0);
	archive = module_archive(&main_boot, &bytes);
	if (!main_endpoint || !main_reply)
		main_stop("too little memory");
	if (!archive)
		main_stop("there is no archive of servers");
	program_begin(archive, bytes);
	machine_begin(main_boot.rsdp);
	main_environment();
	task_begin(&main_env, (uint32_t)(bi->schedcontrol.end - bi->schedcontrol.start), bi->schedcontrol.start, main_endpoint);
	/* all now: what they share belongs to the machine, not to the first domain that wants it */
	for (unsigned i = 0; i < sizeof(main_programs) / sizeof(main_programs[0]); i++)
		if (!program_find(main_programs[i]))
			log_line("root: there is no program %s", main_programs[i]);
	module_begin(&main_boot);
	service_begin(&main_boot);
}

int main(void)
{
	static struct message m;
	seL4_MessageInfo_t info;
	seL4_Word badge;

	main_begin();
	if (!servers_start(&main_boot))
		main_stop("not all servers run");
	log_line("root: %llu MiB free", (unsigned long long)(memory_free_bytes() >> 20));
	info = seL4_Recv(main_endpoint, &badge, main_reply);
	for (;;) {
		uint64_t label = seL4_MessageInfo_get_label(info);
		int result;

		message_receive(&m, info);
		if (fault_is(badge)) {
			fault_handle(badge, label, &m);
			info = seL4_Recv(main_endpoint, &badge, main_reply);
			continue;
		}
		result = service_call(badge, label, &m);
		info = seL4_ReplyRecv(main_endpoint, message_send(&m, message_label_of(result)), &badge, main_reply);
	}
}
