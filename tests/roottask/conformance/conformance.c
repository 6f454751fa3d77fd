/* The order of the subjects, counting, and the end. */
#include "roottask/conformance/conformance.h"

#define EXIT_PORT 0xf4

unsigned conformance_cases, conformance_failed;

void conformance_case(const char *name, bool good, const char *why)
{
	conformance_cases++;
	if (good) {
		print("ok %s\n", name);
		return;
	}
	conformance_failed++;
	print("not ok %s: %s\n", name, why);
}

void conformance_equal(const char *name, seL4_Word got, seL4_Word want)
{
	conformance_cases++;
	if (got == want) {
		print("ok %s\n", name);
		return;
	}
	conformance_failed++;
	print("not ok %s: 0x%x, should be 0x%x\n", name, got, want);
}

static void words(const char *name, seL4_Error got, seL4_Error want, const seL4_Word *word, int count)
{
	conformance_cases++;
	if (got != want) {
		conformance_failed++;
		print("not ok %s: error %u, should be %u\n", name, (seL4_Word)got, (seL4_Word)want);
		return;
	}
	for (int i = 0; i < count; i++)
		if (seL4_GetMR(i) != word[i]) {
			conformance_failed++;
			print("not ok %s: word %u is 0x%x, should be 0x%x\n", name, (seL4_Word)i, seL4_GetMR(i), word[i]);
			return;
		}
	print("ok %s\n", name);
}

void conformance_error(const char *name, seL4_Error got, seL4_Error want)
{
	words(name, got, want, 0, 0);
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

void conformance_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1, seL4_Word mr2)
{
	const seL4_Word w[] = {mr0, mr1, mr2};

	words(name, got, want, w, 3);
}

static void machine_exit(void)
{
	seL4_CPtr port = object_slot();

	if (seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, EXIT_PORT, EXIT_PORT + 3, ROOT, port, DEPTH) == seL4_NoError)
		(void)seL4_X86_IOPort_Out32(port, EXIT_PORT, conformance_failed ? 1 : 0);
}

void roottask_main(void)
{
	cnode_cases();
	untyped_cases();
	vspace_cases();
	device_cases();
	tcb_cases();
	sched_cases();
	ipc_cases();
	fault_cases();
	print("conformance: %u cases, %u not ok\nDONE\n", (seL4_Word)conformance_cases, (seL4_Word)conformance_failed);
	machine_exit();
}
