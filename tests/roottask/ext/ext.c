/* Verdicts, the order of the subjects, and the end. */
#include "roottask/ext/ext.h"

#define EXIT_PORT 0xf4

static unsigned ext_cases, ext_failed;

void check(const char *name, bool good, const char *why)
{
	ext_cases++;
	if (good) {
		print("ok %s\n", name);
		return;
	}
	ext_failed++;
	print("not ok %s: %s\n", name, why);
}

void check_equal(const char *name, seL4_Word got, seL4_Word want)
{
	ext_cases++;
	if (got == want) {
		print("ok %s\n", name);
		return;
	}
	ext_failed++;
	print("not ok %s: 0x%x, should be 0x%x\n", name, got, want);
}

static void words(const char *name, seL4_Error got, seL4_Error want, const seL4_Word *word, int count)
{
	seL4_Word is[3];

	for (int i = 0; i < count; i++)
		is[i] = seL4_GetMR(i);
	if (got != want || count == 0) {
		check_equal(name, (seL4_Word)got, (seL4_Word)want);
		return;
	}
	for (int i = 0; i < count; i++)
		if (is[i] != word[i] || i == count - 1) {
			check_equal(name, is[i], word[i]);
			return;
		}
}

void check_error(const char *name, seL4_Error got, seL4_Error want)
{
	words(name, got, want, 0, 0);
}

void check_error1(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0)
{
	words(name, got, want, &mr0, 1);
}

void check_error2(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1)
{
	const seL4_Word w[] = {mr0, mr1};

	words(name, got, want, w, 2);
}

void check_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1,
		  seL4_Word mr2)
{
	const seL4_Word w[] = {mr0, mr1, mr2};

	words(name, got, want, w, 3);
}

void cost(const char *name, seL4_Word ticks)
{
	print("cost %s %u\n", name, ticks);
}

seL4_Error raw(seL4_CPtr cap, seL4_Word label, unsigned count, unsigned caps, seL4_CPtr cap0, seL4_CPtr cap1)
{
	for (unsigned i = 0; i < count; i++)
		seL4_SetMR((int)i, 0);
	seL4_SetCap(0, cap0);
	seL4_SetCap(1, cap1);
	return (seL4_Error)seL4_MessageInfo_get_label(
	    seL4_Call(cap, seL4_MessageInfo_new(label, 0, caps, count)));
}

static void machine_exit(void)
{
	seL4_CPtr port = object_slot();

	if (seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, EXIT_PORT, EXIT_PORT + 3, ROOT, port,
					 DEPTH) == seL4_NoError)
		(void)seL4_X86_IOPort_Out32(port, EXIT_PORT, ext_failed ? 1 : 0);
}

void roottask_main(void)
{
	never_cases();
	timer_cases();
	state_cases();
	derive_cases();
	split_cases();
	split_race_cases();
	charge_cases();
	print("ext: %u cases, %u not ok\nDONE\n", (seL4_Word)ext_cases, (seL4_Word)ext_failed);
	machine_exit();
}
