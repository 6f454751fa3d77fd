/*
 * What the boot CPU has (CPUID), into `cpu`. Runs once, before anything depends on it; stops the machine with
 * one line where something is missing that cannot be done without. SDM 2A, CPUID; AMD APM 3, appendix E.
 */
#include "arch/x86/cpu.h"
#include "arch/x86/context.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/msr.h"
#include "insula/ext.h"
#include "mem/mem.h"
#include "panic.h"

struct cpu_features cpu;

/* Components of XCR0 that we know and whose standard-format area fits: x87, SSE, AVX, AVX-512, PKRU. */
enum {
	CPU_XCR0_X87_SSE = 3,
	CPU_XCR0_AVX = 4,
	CPU_XCR0_AVX512 = 0xe0,
	CPU_XCR0_PKRU = 0x200,
};
enum { CPU_XSAVE_HEADER_END = 576 };

static void cpu_detect_vendor(uint32_t *max)
{
	uint32_t r[4];
	char vendor[12];

	cpu_cpuid(0, 0, r);
	*max = r[0];
	mem_put32((uint8_t *)vendor, r[1]);
	mem_put32((uint8_t *)vendor + 4, r[3]);
	mem_put32((uint8_t *)vendor + 8, r[2]);
	if (memcmp(vendor, "GenuineIntel", 12) == 0)
		cpu.vendor = CPU_INTEL;
	else if (memcmp(vendor, "AuthenticAMD", 12) == 0 || memcmp(vendor, "HygonGenuine", 12) == 0)
		cpu.vendor = CPU_AMD;
	else
		cpu.vendor = CPU_OTHER;
	cpu_cpuid(1, 0, r);
	cpu.stepping = r[0] & 15;
	cpu.model = (r[0] >> 4) & 15;
	cpu.family = (r[0] >> 8) & 15;
	if (cpu.family == 15 || (cpu.family == 6 && cpu.vendor != CPU_AMD))
		cpu.model |= (r[0] >> 12) & 0xf0;
	if (cpu.family == 15)
		cpu.family += (r[0] >> 20) & 0xff;
}

static void cpu_detect_name(uint32_t max_extended)
{
	uint32_t r[4];
	unsigned used = 0, start = 0;

	memset(cpu.name, 0, sizeof(cpu.name));
	if (max_extended < 0x80000004)
		return;
	for (uint32_t leaf = 0; leaf < 3; leaf++) {
		cpu_cpuid(0x80000002 + leaf, 0, r);
		for (unsigned i = 0; i < 4; i++)
			mem_put32((uint8_t *)cpu.name + 16 * leaf + 4 * i, r[i]);
	}
	/* Right-aligned in some; and nothing but printable text goes to the console. */
	while (cpu.name[start] == ' ')
		start++;
	while (start < sizeof(cpu.name) - 1 && cpu.name[start] != '\0') {
		char c = cpu.name[start++];
		cpu.name[used++] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (used != 0 && cpu.name[used - 1] == ' ')
		used--;
	memset(cpu.name + used, 0, sizeof(cpu.name) - used);
}

/* Bytes that the components need, in the compact or the standard format (SDM 1, 13.4). */
static uint32_t cpu_xsave_bytes(uint64_t components, bool compact)
{
	uint32_t r[4], end = CPU_XSAVE_HEADER_END;

	for (uint32_t i = 2; i < 63; i++) {
		if ((components & BIT(i)) == 0)
			continue;
		cpu_cpuid(0xd, i, r);
		if (compact) {
			if (r[2] & 2)
				end = (end + 63) & ~63u;
			end += r[0];
		} else if (r[1] + r[0] > end) {
			end = r[1] + r[0];
		}
	}
	return end;
}

static void cpu_detect_xsave(uint32_t max, bool emulated)
{
	uint32_t r[4];
	uint64_t supported;

	cpu.xcr0 = CPU_XCR0_X87_SSE;
	cpu.xsave_size = 512;
	if (cpu.xsave && max >= 0xd) {
		cpu_cpuid(0xd, 1, r);
		cpu.xsaveopt = r[0] & 1;
		cpu.xsavec = r[0] & 2;
		cpu.xsaves = r[0] & 8;
	} else {
		cpu.xsave = false;
	}
	/* QEMU 7.2 emulates CPUs that have XSAVE alone, but refuses to let it be switched on. */
	if (emulated && !cpu.xsaveopt && !cpu.xsavec)
		cpu.xsave = false;
	if (!cpu.xsave) {
		cpu.avx = cpu.pku = false;
		return;
	}
	cpu_cpuid(0xd, 0, r);
	supported = ((uint64_t)r[3] << 32) | r[0];
	cpu.avx = cpu.avx && (supported & CPU_XCR0_AVX);
	if (cpu.avx) {
		cpu.xcr0 |= CPU_XCR0_AVX;
		if ((supported & CPU_XCR0_AVX512) == CPU_XCR0_AVX512)
			cpu.xcr0 |= CPU_XCR0_AVX512;
	}
	/* a guest may switch protection keys on by itself: PKRU goes with the rest */
	cpu.pku = cpu.pku && (supported & CPU_XCR0_PKRU);
	if (cpu.pku)
		cpu.xcr0 |= CPU_XCR0_PKRU;
	if (cpu_xsave_bytes(cpu.xcr0, cpu.xsavec) > FPU_STATE_MAX)
		cpu.xcr0 &= ~(uint64_t)CPU_XCR0_AVX512;
	cpu.xsave_size = cpu_xsave_bytes(cpu.xcr0, cpu.xsavec);
	if (cpu.xsave_size > FPU_STATE_MAX)
		boot_stop("the CPU's vector registers need %u bytes, at most %u are provided for",
			  cpu.xsave_size, FPU_STATE_MAX);
}

static void cpu_detect_virt(uint32_t leaf1_ecx, uint32_t ext1_ecx, uint32_t max_extended)
{
	uint32_t r[4];

	cpu.virt = INSULA_VIRT_NONE;
	if (leaf1_ecx & BIT(5))
		cpu.virt = INSULA_VIRT_VMX;
	if ((ext1_ecx & BIT(2)) == 0 || max_extended < 0x8000000a)
		return;
	cpu.virt = INSULA_VIRT_SVM;
	cpu_cpuid(0x8000000a, 0, r);
	cpu.svm_asids = r[1];
	cpu.svm_npt = r[3] & BIT(0);
	cpu.svm_nrip = r[3] & BIT(3);
	cpu.svm_vmcb_clean = r[3] & BIT(5);
	cpu.svm_flush_asid = r[3] & BIT(6);
	cpu.svm_decode = r[3] & BIT(7);
	cpu.svm_pause_filter = r[3] & BIT(10);
	cpu.svm_pause_threshold = r[3] & BIT(12);
	cpu.svm_vgif = r[3] & BIT(16);
}

/* The words that everything here is decided by. */
struct cpu_words {
	uint32_t vendor[3], leaf1_ecx, leaf1_edx, leaf7_ebx, leaf7_ecx, ext1_ecx, ext1_edx, svm, xsave;
};

static struct cpu_words cpu_first;

static struct cpu_words cpu_words(void)
{
	const uint32_t osxsave = BIT(27), apic = BIT(9), ospke = BIT(4); /* show what is on, not what there is */
	struct cpu_words w = {0};
	uint32_t r[4], max, max_extended;

	cpu_cpuid(0, 0, r);
	max = r[0];
	w.vendor[0] = r[1];
	w.vendor[1] = r[2];
	w.vendor[2] = r[3];
	cpu_cpuid(1, 0, r);
	w.leaf1_ecx = r[2] & ~osxsave;
	w.leaf1_edx = r[3] & ~apic;
	if (max >= 7) {
		cpu_cpuid(7, 0, r);
		w.leaf7_ebx = r[1];
		w.leaf7_ecx = r[2] & ~ospke;
	}
	if (max >= 0xd) {
		cpu_cpuid(0xd, 1, r);
		w.xsave = r[0];
	}
	cpu_cpuid(0x80000000, 0, r);
	max_extended = r[0];
	cpu_cpuid(0x80000001, 0, r);
	w.ext1_ecx = r[2];
	w.ext1_edx = r[3] & ~apic;
	if (max_extended >= 0x8000000a) {
		cpu_cpuid(0x8000000a, 0, r);
		w.svm = r[3];
	}
	return w;
}

bool cpu_is_alike(void)
{
	const struct cpu_words w = cpu_words(), *f = &cpu_first;

	return memcmp(w.vendor, f->vendor, sizeof(w.vendor)) == 0 && !(f->leaf1_ecx & ~w.leaf1_ecx) &&
	       !(f->leaf1_edx & ~w.leaf1_edx) && !(f->leaf7_ebx & ~w.leaf7_ebx) &&
	       !(f->leaf7_ecx & ~w.leaf7_ecx) && !(f->ext1_ecx & ~w.ext1_ecx) && !(f->ext1_edx & ~w.ext1_edx) &&
	       !(f->svm & ~w.svm) && !(f->xsave & ~w.xsave);
}

void cpu_detect(void)
{
	uint32_t max, max_extended, leaf1[4], leaf7[4] = {0}, ext1[4], r[4];

	cpu_detect_vendor(&max);
	cpu_cpuid(1, 0, leaf1);
	if (max >= 7)
		cpu_cpuid(7, 0, leaf7);
	cpu_cpuid(0x80000000, 0, r);
	max_extended = r[0];
	cpu_cpuid(0x80000001, 0, ext1);
	cpu_detect_name(max_extended);

	cpu.mce = (leaf1[3] & BIT(7)) && (leaf1[3] & BIT(14));
	cpu.pge = leaf1[3] & BIT(13);
	cpu.pcid = leaf1[2] & BIT(17);
	cpu.x2apic = leaf1[2] & BIT(21);
	cpu.tsc_deadline = leaf1[2] & BIT(24);
	cpu.monitor = leaf1[2] & BIT(3);
	cpu.xsave = leaf1[2] & BIT(26);
	cpu.avx = leaf1[2] & BIT(28);
	cpu.fsgsbase = leaf7[1] & BIT(0);
	cpu.smep = leaf7[1] & BIT(7);
	cpu.invpcid = leaf7[1] & BIT(10);
	cpu.smap = leaf7[1] & BIT(20);
	cpu.umip = leaf7[2] & BIT(2);
	cpu.pku = leaf7[2] & BIT(3);
	if (leaf7[3] & BIT(29))
		cpu.arch_capabilities = cpu_rdmsr(MSR_ARCH_CAPABILITIES);
	cpu.nx = ext1[3] & BIT(20);
	cpu.huge_pages = ext1[3] & BIT(26);
	cpu.rdtscp = ext1[3] & BIT(27);
	cpu.paddr_bits = 36;
	cpu.vaddr_bits = 48;
	if (max_extended >= 0x80000007) {
		cpu_cpuid(0x80000007, 0, r);
		cpu.invariant_tsc = r[3] & BIT(8);
		cpu.mce_succor = r[1] & BIT(1);
		cpu.mce_overflow = r[1] & BIT(0);
	}
	if (max_extended >= 0x80000008) {
		cpu_cpuid(0x80000008, 0, r);
		cpu.paddr_bits = (uint8_t)(r[0] & 0xff);
		cpu.vaddr_bits = (uint8_t)((r[0] >> 8) & 0xff);
	}
	if (cpu.paddr_bits > 52)
		cpu.paddr_bits = 52;

	if ((ext1[3] & BIT(29)) == 0)
		boot_stop("this CPU has no 64-bit mode");
	if (!cpu.nx)
		boot_stop("this CPU cannot protect pages from being executed (no NX)");
	if ((ext1[3] & BIT(11)) == 0)
		boot_stop("this CPU has no SYSCALL instruction");
	if ((leaf1[3] & (BIT(24) | BIT(25) | BIT(26))) != (BIT(24) | BIT(25) | BIT(26)))
		boot_stop("this CPU has no SSE2 (or cannot save its registers)");
	if ((leaf1[3] & BIT(9)) == 0)
		boot_stop("this CPU has no local APIC, or the firmware has switched it off");
	if ((leaf1[3] & (BIT(4) | BIT(5) | BIT(16))) != (BIT(4) | BIT(5) | BIT(16)))
		boot_stop("this CPU has no time-stamp counter, MSRs or page attributes");

	cpu_first = cpu_words();
	cpu_detect_xsave(max, leaf1[2] & BIT(31));
	cpu_detect_virt(leaf1[2], ext1[2], max_extended);
}

/* Words for the log and bootinfo: what was found and is used. */
void cpu_feature_words(char *buffer, size_t size)
{
	const struct {
		bool has;
		const char *word;
	} words[] = {
	    {true, "nx"},
	    {cpu.smep, "smep"},
	    {cpu.smap, "smap"},
	    {cpu.umip, "umip"},
	    {cpu.fsgsbase, "fsgsbase"},
	    {cpu.pge, "pge"},
	    {cpu.split, "split-tables"},
	    {cpu.pcid, "pcid"},
	    {cpu.pcid && cpu.invpcid, "invpcid"},
	    {cpu.huge_pages, "1gib-pages"},
	    {cpu.mce, "mce"},
	    {cpu.x2apic, "x2apic"},
	    {cpu.tsc_deadline, "tsc-deadline"},
	    {cpu.invariant_tsc, "invariant-tsc"},
	    {cpu.xsavec, "xsavec"},
	    {cpu.xsave && !cpu.xsavec && cpu.xsaveopt, "xsaveopt"},
	    {cpu.xsave && !cpu.xsavec && !cpu.xsaveopt, "xsave"},
	    {!cpu.xsave, "fxsave"},
	    {cpu.avx, "avx"},
	    {(cpu.xcr0 & CPU_XCR0_AVX512) != 0, "avx512"},
	    {cpu.virt == INSULA_VIRT_VMX, "vt-x"},
	    {cpu.virt == INSULA_VIRT_SVM, "svm"},
	    {cpu.svm_npt, "npt"},
	    {cpu.svm_nrip, "nrip"},
	    {cpu.svm_decode, "decode"},
	    {cpu.svm_flush_asid, "flush-asid"},
	    {cpu.svm_vmcb_clean, "vmcb-clean"},
	    {cpu.svm_vgif, "vgif"},
	    {cpu.svm_pause_filter, "pause-filter"},
	};
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i].word);
		if (!words[i].has || used + n + 2 > size)
			continue;
		if (used != 0)
			buffer[used++] = ' ';
		memcpy(buffer + used, words[i].word, n);
		used += n;
	}
	if (size != 0)
		buffer[used] = '\0';
}
