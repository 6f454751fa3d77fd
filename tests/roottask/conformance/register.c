/* Read-, Write- and CopyRegisters: which words, in which order, and what they may not be. */
#include "roottask/conformance/worker.h"

#define WORDS 20

static seL4_Word *words(seL4_UserContext *c)
{
	return (seL4_Word *)(void *)c;
}

static seL4_Word pattern(unsigned i)
{
	return i == 2 ? 0x30cd5 : 0x10000 + 0x111 * i;
}

static seL4_Word expected(unsigned i)
{
	return i == 2 ? (pattern(i) & 0xfff) | 0x202 : pattern(i);
}

static seL4_UserContext patterned(void)
{
	seL4_UserContext c;

	for (unsigned i = 0; i < WORDS; i++)
		words(&c)[i] = pattern(i);
	return c;
}

static seL4_Error read(seL4_CPtr tcb, seL4_Word count, seL4_UserContext *c)
{
	return seL4_TCB_ReadRegisters(tcb, false, 0, count, c);
}

static seL4_Error write(seL4_CPtr tcb, seL4_Word count, const seL4_UserContext *c)
{
	return seL4_TCB_WriteRegisters(tcb, false, 0, count, c);
}

static void arguments(seL4_CPtr tcb)
{
	seL4_UserContext c = {0};

	conformance_error("register.read_self", read(SELF, WORDS, &c), seL4_IllegalOperation);
	conformance_error("register.write_self", write(SELF, WORDS, &c), seL4_IllegalOperation);
	conformance_error2("register.read_0", read(tcb, 0, &c), seL4_RangeError, 1, 20);
	conformance_error2("register.read_21", read(tcb, 21, &c), seL4_RangeError, 1, 20);
	conformance_error2("register.read_huge", read(tcb, ~0ull, &c), seL4_RangeError, 1, 20);
	/* the range is looked at before whose registers they are */
	conformance_error2("register.order_range_self", read(SELF, 21, &c), seL4_RangeError, 1, 20);
	seL4_SetMR(0, 0);
	seL4_SetMR(1, 5);
	conformance_error("register.write_fewer_words_than_count",
			  conformance_raw(tcb, TCBWriteRegisters, 0, 6), seL4_TruncatedMessage);
	seL4_SetMR(0, 0);
	seL4_SetMR(1, 1);
	conformance_ok("register.write_more_words_than_count",
		       conformance_raw(tcb, TCBWriteRegisters, 0, 10));
	conformance_ok("register.write_0", write(tcb, 0, &c));
	seL4_SetMR(0, 0);
	seL4_SetMR(1, 30);
	conformance_ok("register.write_count_is_cut", conformance_raw(tcb, TCBWriteRegisters, 0, 32));
	conformance_error1(
	    "register.copy_from_endpoint",
	    seL4_TCB_CopyRegisters(tcb, object_new(seL4_EndpointObject, 0), false, false, true, true, 0),
	    seL4_InvalidCapability, 1);
	conformance_error1("register.copy_from_nothing",
			   seL4_TCB_CopyRegisters(tcb, 0, false, false, true, true, 0),
			   seL4_InvalidCapability, 1);
}

static void order(void)
{
	static const char *const names[WORDS] = {"rip", "rsp", "rflags", "rax", "rbx",	   "rcx",    "rdx",
						 "rsi", "rdi", "rbp",	 "r8",	"r9",	   "r10",    "r11",
						 "r12", "r13", "r14",	 "r15", "fs_base", "gs_base"};
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0);
	seL4_UserContext in = patterned(), out = {0};

	(void)read(tcb, WORDS, &out);
	for (unsigned i = 0; i < WORDS; i++)
		conformance_equal(conformance_name2("register.new", names[i]), words(&out)[i],
				  i == 2 ? 0x202 : 0);
	runtime_must(write(tcb, WORDS, &in), "write");
	(void)read(tcb, WORDS, &out);
	for (unsigned i = 0; i < WORDS; i++)
		conformance_equal(conformance_name2("register.order", names[i]), words(&out)[i], expected(i));
	/* a prefix */
	for (unsigned n = 1; n <= WORDS; n += 3) {
		seL4_CPtr fresh = object_new(seL4_TCBObject, 0);
		seL4_Word good = 1;

		runtime_must(write(fresh, n, &in), "write");
		(void)read(fresh, WORDS, &out);
		for (unsigned i = 0; i < WORDS; i++)
			good &= words(&out)[i] == (i < n ? expected(i) : i == 2 ? 0x202 : 0);
		conformance_equal(conformance_name("register.write_prefix", n), good, 1);
	}
}

static void sanitised(seL4_CPtr tcb)
{
	static const seL4_Word bad[] = {1ull << 63, 0x0000800000000000ull, 0x0000900000000000ull,
					0xffff7fffffffffffull};
	static const unsigned addresses[] = {0, 18, 19};
	seL4_UserContext in = {0}, out = {0};

	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < 3; k++) {
			in = patterned();
			words(&in)[addresses[k]] = bad[i];
			runtime_must(write(tcb, WORDS, &in), "write");
			(void)read(tcb, WORDS, &out);
			conformance_equal(conformance_name("register.not_canonical", i * 100 + addresses[k]),
					  words(&out)[addresses[k]], 0);
		}
	in = patterned();
	in.rflags = ~0ull;
	(void)write(tcb, WORDS, &in);
	(void)read(tcb, WORDS, &out);
	conformance_equal("register.flags_high", out.rflags >> 12, 0);
	conformance_equal("register.flags_on", out.rflags & 0x202, 0x202);
	conformance_equal("register.flags_arithmetic", out.rflags & 0xcd5, 0xcd5);
	in.rflags = 0;
	(void)write(tcb, WORDS, &in);
	(void)read(tcb, WORDS, &out);
	conformance_equal("register.flags_none", out.rflags, 0x202);
	in.rsp = ~0ull;
	(void)write(tcb, WORDS, &in);
	(void)read(tcb, WORDS, &out);
	conformance_equal("register.rsp_is_free", out.rsp, ~0ull);
	runtime_must(seL4_TCB_SetTLSBase(tcb, 1ull << 63), "TLS");
	(void)read(tcb, WORDS, &out);
	conformance_equal("register.tls_base_not_canonical", out.fs_base, 0);
	runtime_must(seL4_TCB_SetTLSBase(tcb, 0x7000), "TLS");
	(void)read(tcb, WORDS, &out);
	conformance_equal("register.tls_base", out.fs_base, 0x7000);
}

static void copies(void)
{
	for (unsigned what = 0; what < 4; what++) {
		seL4_CPtr from = object_new(seL4_TCBObject, 0), to = object_new(seL4_TCBObject, 0);
		seL4_UserContext in = patterned(), out = {0};
		seL4_Word good = 1;

		runtime_must(write(from, WORDS, &in), "write");
		conformance_ok(conformance_name("register.copy", what),
			       seL4_TCB_CopyRegisters(to, from, false, false, (what & 1) != 0, what >= 2, 0));
		(void)read(to, WORDS, &out);
		for (unsigned i = 0; i < WORDS; i++) {
			const bool copied = i < 18 ? what & 1 : what >> 1;

			good &= words(&out)[i] == (copied ? expected(i) : i == 2 ? 0x202 : 0);
		}
		conformance_equal(conformance_name("register.copied", what), good, 1);
	}
}

/* ---- with threads that run ---- */

static void running(void)
{
	struct worker *a = worker_new(WORKER_PRIORITY, 0), *b = worker_new(WORKER_PRIORITY, 0);
	seL4_UserContext c = {0};
	seL4_CPtr n = object_new(seL4_NotificationObject, 0);

	a->cap = n;
	worker_run(a, worker_waits);
	/* suspended by the read: it does not get the signal */
	conformance_ok("register.read_suspends", seL4_TCB_ReadRegisters(a->thread.tcb, true, 0, WORDS, &c));
	conformance_equal("register.blocked_at_its_call", *(const uint16_t *)c.rip, 0x050f);
	conformance_equal("register.blocked_in_wait", c.rdx, (seL4_Word)seL4_SysWait);
	conformance_equal("register.blocked_on", c.rdi, n);
	seL4_Signal(n);
	worker_settle();
	conformance_equal("register.suspended", a->done, 0);
	/* what it was doing is done by another, which it is copied to */
	conformance_ok("register.copy_resumes",
		       seL4_TCB_CopyRegisters(a->thread.tcb, a->thread.tcb, false, true, false, false, 0));
	worker_settle();
	conformance_equal("register.resumed", a->done, 1);
	worker_run(a, worker_waits);
	conformance_ok("register.copy_suspends_source",
		       seL4_TCB_CopyRegisters(b->thread.tcb, a->thread.tcb, true, true, true, true, 0));
	runtime_must(seL4_TCB_Suspend(b->thread.tcb), "suspend");
	seL4_Signal(n);
	worker_settle();
	conformance_equal("register.source_suspended", a->done, 0);
	(void)seL4_TCB_Suspend(b->thread.tcb);
	worker_end(a);
	worker_end(b);
}

void register_cases(void)
{
	seL4_CPtr tcb = object_new(seL4_TCBObject, 0);

	arguments(tcb);
	order();
	sanitised(tcb);
	copies();
	running();
}
