/* The order of the subjects, counting, and the end. */
#include "roottask/conformance/conformance.h"

#define EXIT_PORT 0xf4

unsigned conformance_cases, conformance_failed;

/* ---- names ---- */

static char *name_buffer(void)
{
	static char buffers[4][64];
	static unsigned next;

	return buffers[next++ % 4];
}

static char *name_append(char *to, const char *end, const char *text)
{
	while (*text && to + 1 < end)
		*to++ = *text++;
	*to = '\0';
	return to;
}

const char *conformance_name2(const char *prefix, const char *suffix)
{
	char *b = name_buffer(), *to = name_append(b, b + 64, prefix);

	to = name_append(to, b + 64, ".");
	name_append(to, b + 64, suffix);
	return b;
}

const char *conformance_name(const char *prefix, seL4_Word number)
{
	char digits[21], *d = digits + 20;

	*d = '\0';
	do {
		*--d = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return conformance_name2(prefix, d);
}

/* ---- cases ---- */

static void passed(const char *name)
{
	conformance_cases++;
	print("PASS %s\n", name);
}

static void failed(const char *name)
{
	conformance_cases++;
	conformance_failed++;
	print("FAIL %s: ", name);
}

void conformance_case(const char *name, bool good, const char *why)
{
	if (good) {
		passed(name);
		return;
	}
	failed(name);
	print("%s\n", why);
}

void conformance_equal(const char *name, seL4_Word got, seL4_Word want)
{
	if (got == want) {
		passed(name);
		return;
	}
	failed(name);
	print("expected 0x%x, got 0x%x\n", want, got);
}

static void words(const char *name, seL4_Error got, seL4_Error want, const seL4_Word *word, int count)
{
	if (got != want) {
		failed(name);
		print("expected error %u, got %u (0x%x, 0x%x, 0x%x)\n", (seL4_Word)want, (seL4_Word)got,
		      seL4_GetMR(0), seL4_GetMR(1), seL4_GetMR(2));
		return;
	}
	for (int i = 0; i < count; i++)
		if (seL4_GetMR(i) != word[i]) {
			failed(name);
			print("word %u: expected 0x%x, got 0x%x\n", (seL4_Word)i, word[i], seL4_GetMR(i));
			return;
		}
	passed(name);
}

void conformance_error(const char *name, seL4_Error got, seL4_Error want)
{
	words(name, got, want, 0, 0);
}

void conformance_ok(const char *name, seL4_Error got)
{
	words(name, got, seL4_NoError, 0, 0);
}

void conformance_error1(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0)
{
	words(name, got, want, &mr0, 1);
}

void conformance_error2(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1)
{
	const seL4_Word w[] = {mr0, mr1};

	words(name, got, want, w, 2);
}

void conformance_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1,
			seL4_Word mr2)
{
	const seL4_Word w[] = {mr0, mr1, mr2};

	words(name, got, want, w, 3);
}

/* ---- what several subjects need ---- */

seL4_Error conformance_raw(seL4_CPtr cap, seL4_Word label, seL4_Word caps, seL4_Word length)
{
	return (seL4_Error)seL4_MessageInfo_get_label(
	    seL4_Call(cap, seL4_MessageInfo_new(label, 0, caps, length)));
}

/* The smallest that is large enough, of those of the boot information: its first free part. */
seL4_CPtr conformance_untyped(unsigned bits)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	seL4_CPtr slot = object_slot();

	for (unsigned size = bits; size <= seL4_MaxUntypedBits; size++)
		for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++) {
			const seL4_UntypedDesc *d = &b->untypedList[i];

			if (d->isDevice || d->sizeBits != size)
				continue;
			if (seL4_Untyped_Retype(b->untyped.start + i, seL4_UntypedObject, bits, ROOT, 0, 0,
						slot, 1) == seL4_NoError)
				return slot;
		}
	runtime_must(seL4_NotEnoughMemory, "an Untyped");
	return 0;
}

seL4_Word conformance_type(seL4_CPtr cap)
{
	return seL4_DebugCapIdentify(cap);
}

bool conformance_has_virt(void)
{
	static int known = -1;

	if (known < 0) {
		seL4_CPtr slot = object_slot();

		known = seL4_Untyped_Retype(conformance_untyped(12), seL4_X86_EPTPML4Object, 0, ROOT, 0, 0,
					    slot, 1) == seL4_NoError;
	}
	return known;
}

unsigned conformance_nodes(void)
{
	return (unsigned)runtime_bootinfo()->numNodes;
}

static void machine_exit(void)
{
	seL4_CPtr port = object_slot();

	if (seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, EXIT_PORT, EXIT_PORT + 3, ROOT, port,
					 DEPTH) == seL4_NoError)
		(void)seL4_X86_IOPort_Out32(port, EXIT_PORT, conformance_failed ? 1 : 0);
}

void roottask_main(void)
{
	static void (*const subjects[])(void) = {
	    bootinfo_cases, label_cases,	cnode_cases,	 rights_cases,	untyped_cases,	size_cases,
	    zombie_cases,   long_cases,		vspace_cases,	 frame_cases,	asid_cases,	ioport_cases,
	    irq_cases,	    domain_cases,	iospace_cases,	 tcb_cases,	register_cases, thread_cases,
	    endpoint_cases, combined_cases,	transfer_cases,	 reply_cases,	sched_cases,	time_cases,
	    yield_cases,    fault_cases,	exception_cases, syscall_cases, vcpu_cases,	timer_cases,
	    node_cases,	    notification_cases,
	};

	print("conformance: %u nodes\n", (seL4_Word)conformance_nodes());
	for (unsigned i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		subjects[i]();
	print("conformance: %u cases, %u failed\nDONE\n", (seL4_Word)conformance_cases,
	      (seL4_Word)conformance_failed);
	machine_exit();
}
