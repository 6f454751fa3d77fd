/* System calls by number: which exist, that the others are faults, registers that they keep; the debug calls.
 */
#include "roottask/conformance/worker.h"
#include "roottask/conformance/syscall_raw.h"

static seL4_CPtr handler, reply;
static struct worker *w;
static struct syscall_raw regs;

static void raw(struct worker *self)
{
	(void)self;
	syscall_raw(&regs);
}

static void fresh(seL4_Word number)
{
	regs = (struct syscall_raw){.rax = 0xa1,
				    .rbx = 0xb2,
				    .rcx = 0xc3,
				    .rdx = number,
				    .rsi = 0xd4,
				    .rdi = 0xe5,
				    .rbp = 0xf6,
				    .r8 = 0x18,
				    .r9 = 0x19,
				    .r10 = 0x1a,
				    .r11 = 0x1b,
				    .r12 = 0x1c,
				    .r13 = 0x1d,
				    .r14 = 0x1e,
				    .r15 = 0x1f};
}

static seL4_MessageInfo_t provoked(seL4_Word number)
{
	seL4_Word badge;

	fresh(number);
	worker_run(w, raw);
	return seL4_NBRecv(handler, &badge, reply);
}

/* ---- unknown numbers ---- */

static void unknown(void)
{
	/* reserved numbers of features that are not there, and numbers that are nobody's */
	static const int64_t numbers[] = {0,   1,   2,	 100,  -18,	  -21,	     -22,      -23,
					  -24, -25, -26, -27,  -28,	  -29,	     -30,      -31,
					  -34, -35, -64, -100, INT64_MAX, INT64_MIN, 1ll << 32};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		seL4_MessageInfo_t info = provoked((seL4_Word)numbers[i]);

		conformance_equal(conformance_name("syscall.unknown", i),
				  seL4_MessageInfo_get_label(info) == seL4_Fault_UnknownSyscall &&
				      seL4_MessageInfo_get_length(info) == 19 &&
				      seL4_GetMR(18) == (seL4_Word)numbers[i],
				  1);
	}
	/* only the low half is like a system call's */
	conformance_equal("syscall.not_sign_extended", seL4_MessageInfo_get_label(provoked(0xfffffff5)),
			  seL4_Fault_UnknownSyscall);
}

static void message(void)
{
	static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
					    "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	const seL4_Word want[] = {0xa1, 0xb2, 0, (seL4_Word)-77, 0xd4, 0xe5, 0xf6, 0x18,
				  0x19, 0x1a, 0, 0x1c,		 0x1d, 0x1e, 0x1f};

	(void)provoked((seL4_Word)-77);
	for (int i = 0; i < 15; i++)
		if (i != 2 && i != 10) /* the instruction itself overwrites RCX and R11 */
			conformance_equal(conformance_name2("syscall.message", names[i]), seL4_GetMR(i),
					  want[i]);
	conformance_equal("syscall.message.ip", *(const uint16_t *)seL4_GetMR(15), 0x050f);
	conformance_equal("syscall.message.sp", seL4_GetMR(16), worker_register(w, 1));
	conformance_equal("syscall.message.flags", seL4_GetMR(17) & 0x202, 0x202);
	/* each word of the answer goes into its register; behind the instruction it goes on */
	for (int i = 0; i < 15; i++)
		seL4_SetMR(i, 0x500 + (seL4_Word)i);
	seL4_SetMR(15, seL4_GetMR(15) + 2);
	seL4_Send(reply, seL4_MessageInfo_new(0, 0, 0, 18));
	worker_settle();
	{
		const seL4_Word got[] = {regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi,
					 regs.rdi, regs.rbp, regs.r8,  regs.r9,	 regs.r10,
					 regs.r11, regs.r12, regs.r13, regs.r14, regs.r15};

		conformance_equal("syscall.answer_goes_on", w->done, 1);
		for (unsigned i = 0; i < 15; i++)
			conformance_equal(conformance_name2("syscall.answer", names[i]), got[i], 0x500 + i);
	}
	/* a short answer is a prefix; another label stops it there */
	(void)provoked((seL4_Word)-77);
	seL4_SetMR(0, 0x600);
	seL4_SetMR(1, 0x601);
	seL4_Send(reply, seL4_MessageInfo_new(1, 0, 0, 2));
	worker_settle();
	conformance_equal("syscall.answer_prefix",
			  worker_register(w, 3) == 0x600 && worker_register(w, 4) == 0x601 &&
			      worker_register(w, 7) == 0xd4,
			  1);
	conformance_equal("syscall.other_label_stops", w->done, 0);
}

/* ---- registers ---- */

static void preserved(void)
{
	static const struct {
		const char *name;
		int64_t number;
		seL4_Word cap;
	} calls[] = {{"yield", seL4_SysYield, 0},
		     {"nbsend", seL4_SysNBSend, 0},
		     {"send_to_null", seL4_SysSend, 0},
		     {"cap_identify", seL4_SysDebugCapIdentify, 0},
		     {"set_nothing", seL4_SysNBSend, seL4_CapInitThreadTCB}};

	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		fresh((seL4_Word)calls[i].number);
		regs.rdi = calls[i].cap;
		regs.rsi = 0x4004;
		worker_run(w, raw);
		conformance_equal(conformance_name2("syscall.preserves", calls[i].name),
				  w->done == 1 && regs.rax == 0xa1 && regs.rbx == 0xb2 &&
				      regs.rdx == (seL4_Word)calls[i].number && regs.rsi == 0x4004 &&
				      regs.rbp == 0xf6 && regs.r8 == 0x18 && regs.r9 == 0x19 &&
				      regs.r10 == 0x1a && regs.r12 == 0x1c && regs.r13 == 0x1d &&
				      regs.r14 == 0x1e && regs.r15 == 0x1f,
				  1);
	}
	/* a call: the answer's registers change, the others do not; words beyond its length neither */
	fresh((seL4_Word)seL4_SysCall);
	regs.rdi = object_new(seL4_UntypedObject, 12);
	regs.rsi = 0;
	worker_run(w, raw);
	conformance_equal("syscall.call_keeps",
			  regs.rax == 0xa1 && regs.rbx == 0xb2 && regs.rdx == (seL4_Word)seL4_SysCall &&
			      regs.rbp == 0xf6 && regs.r12 == 0x1c && regs.r13 == 0x1d && regs.r14 == 0x1e,
			  1);
	conformance_equal("syscall.call_badge", regs.rdi, 0);
	conformance_equal("syscall.call_tag", regs.rsi, (seL4_Word)seL4_IllegalOperation << 12);
	conformance_equal("syscall.call_words_kept",
			  regs.r10 == 0x1a && regs.r8 == 0x18 && regs.r9 == 0x19 && regs.r15 == 0x1f, 1);
	/* a poll that finds nothing: the badge only */
	fresh((seL4_Word)seL4_SysNBWait);
	regs.rdi = object_new(seL4_NotificationObject, 0);
	worker_run(w, raw);
	conformance_equal("syscall.poll_badge", regs.rdi, 0);
	conformance_equal("syscall.poll_keeps", regs.rsi == 0xd4 && regs.r10 == 0x1a && regs.r15 == 0x1f, 1);
	/* a signal gives the badge, and leaves the tag */
	fresh((seL4_Word)seL4_SysWait);
	regs.rdi = object_mint(object_new(seL4_NotificationObject, 0), seL4_AllRights, 0x31);
	seL4_Signal(regs.rdi);
	worker_run(w, raw);
	conformance_equal("syscall.wait_badge", regs.rdi, 0x31);
	conformance_equal("syscall.wait_keeps", regs.rsi == 0xd4 && regs.r10 == 0x1a && regs.r8 == 0x18, 1);
}

/* ---- calls of their own ---- */

static void sets_tls(struct worker *self)
{
	seL4_SetTLSBase(self->word[0]);
	seL4_SetTLSBase((seL4_Word)(uintptr_t)&self->thread.memory->tls.self);
	self->done = 1;
}

static void tls(void)
{
	fresh((seL4_Word)seL4_SysSetTLSBase);
	regs.rdi = 0x123456000;
	worker_run(w, raw);
	conformance_equal("syscall.tls_base", worker_register(w, 18), 0x123456000);
	fresh((seL4_Word)seL4_SysSetTLSBase);
	regs.rdi = 1ull << 47;
	worker_run(w, raw);
	conformance_equal("syscall.tls_base_not_canonical", worker_register(w, 18), 0);
	w->word[0] = 0x5000;
	worker_run(w, sets_tls);
	conformance_equal("syscall.tls_base_twice", w->done, 2);
}

/* Names go to the console only; what can be told is who is refused. */
static void names(struct worker *self)
{
	seL4_DebugNameThread(self->cap, "a worker");
}

static void debug(void)
{
	static const int64_t numbers[] = {seL4_SysDebugDumpScheduler, seL4_SysDebugSnapshot,
					  seL4_SysDebugGetThreadAffinity};
	unsigned known = 0;

	for (unsigned i = 0; i < 3; i++) {
		seL4_Word badge = 0;

		fresh((seL4_Word)numbers[i]);
		regs.rdi = w->thread.tcb;
		worker_run(w, raw);
		known += w->done == 1;
		(void)seL4_NBRecv(handler, &badge, reply);
	}
	print("conformance: the kernel is a %s build\n", known ? "debug" : "release");
	conformance_equal("debug.all_or_none", known == 0 || known == 3, 1);
	if (known)
		conformance_equal("debug.affinity", regs.rdi, 0);
	else {
		conformance_equal("debug.halt_is_unknown",
				  seL4_MessageInfo_get_label(provoked((seL4_Word)seL4_SysDebugHalt)),
				  seL4_Fault_UnknownSyscall);
		conformance_equal("debug.run_is_unknown",
				  seL4_MessageInfo_get_label(provoked((seL4_Word)seL4_SysDebugRun)),
				  seL4_Fault_UnknownSyscall);
	}
	w->cap = w->thread.tcb;
	worker_run(w, names);
	conformance_equal("debug.name_thread", w->done, 1);
	w->cap = ROOT;
	worker_run(w, names);
	{
		seL4_Word badge;

		conformance_equal("debug.name_no_thread",
				  seL4_MessageInfo_get_label(seL4_NBRecv(handler, &badge, reply)),
				  seL4_Fault_UnknownSyscall);
	}
	fresh((seL4_Word)seL4_SysDebugPutChar);
	regs.rdi = 0xffffffffffffff00ull | '\n';
	worker_run(w, raw);
	conformance_equal("debug.put_char", w->done == 1 && regs.rax == 0xa1, 1);
	conformance_equal("debug.identify_nowhere", seL4_DebugCapIdentify(1ull << 60), 0);
}

void syscall_cases(void)
{
	handler = object_mint(object_new(seL4_EndpointObject, 0), seL4_AllRights, 1);
	reply = object_new(seL4_ReplyObject, 0);
	w = worker_new(WORKER_PRIORITY, handler);
	unknown();
	message();
	preserved();
	tls();
	debug();
	worker_end(w);
}
