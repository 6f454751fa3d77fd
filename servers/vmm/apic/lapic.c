#include "servers/vmm/apic/lapic.h"

#include <stddef.h>
#include <string.h>

enum {
	REG_ID = 0x020,
	REG_VERSION = 0x030,
	REG_TPR = 0x080,
	REG_APR = 0x090,
	REG_PPR = 0x0a0,
	REG_EOI = 0x0b0,
	REG_RRD = 0x0c0,
	REG_LDR = 0x0d0,
	REG_DFR = 0x0e0,
	REG_SVR = 0x0f0,
	REG_ISR = 0x100,
	REG_TMR = 0x180,
	REG_IRR = 0x200,
	REG_ESR = 0x280,
	REG_LVT_CMCI = 0x2f0,
	REG_ICR_LOW = 0x300,
	REG_ICR_HIGH = 0x310,
	REG_LVT_TIMER = 0x320,
	REG_LVT_ERROR = 0x370,
	REG_TIMER_INITIAL = 0x380,
	REG_TIMER_CURRENT = 0x390,
	REG_TIMER_DIVIDE = 0x3e0,
	REG_SELF_IPI = 0x3f0,
};

#define VERSION       0x50014u /* version 0x14, six LVT entries */
#define SVR_ENABLE    (1u << 8)
#define LVT_MASKED    (1u << 16)
#define LVT_PENDING   (1u << 12)
#define TIMER_MODE    (3u << 17)
#define TIMER_ONESHOT (0u << 17)
#define TIMER_PERIOD  (1u << 17)
#define TIMER_TSC     (2u << 17)
#define ESR_SEND_ILLEGAL     (1u << 5)
#define ESR_RECEIVE_ILLEGAL  (1u << 6)
#define BASE_BSP    (1ull << 8)
#define BASE_X2APIC (1ull << 10)
#define BASE_ENABLE (1ull << 11)

static const struct lapic_action nothing = {.kind = LAPIC_NOTHING};
static const struct lapic_action fault = {.kind = LAPIC_FAULT};

void lapic_reset(struct lapic *l, uint32_t id, bool bsp)
{
	memset(l, 0, sizeof(*l));
	l->id = id;
	l->bsp = bsp;
	l->mode = LAPIC_XAPIC;
	l->dfr = 0xffffffffu;
	l->svr = 0xff;
	for (unsigned i = 0; i < 7; i++)
		l->lvt[i] = LVT_MASKED;
	l->timer_deadline = UINT64_MAX;
}

static bool lapic_enabled(const struct lapic *l)
{
	return l->mode != LAPIC_DISABLED && (l->svr & SVR_ENABLE);
}

uint64_t lapic_base_read(const struct lapic *l)
{
	return LAPIC_BASE | (l->bsp ? BASE_BSP : 0) | (l->mode != LAPIC_DISABLED ? BASE_ENABLE : 0) |
	       (l->mode == LAPIC_X2APIC ? BASE_X2APIC : 0);
}

/* SDM volume 3, 11.12.5: the only ways out of x2APIC mode lead through the disabled state; the page does not move here. */
bool lapic_base_write(struct lapic *l, uint64_t value)
{
	bool enable = value & BASE_ENABLE, x2 = value & BASE_X2APIC;
	enum lapic_mode to = !enable ? LAPIC_DISABLED : x2 ? LAPIC_X2APIC : LAPIC_XAPIC;

	if ((value & ~(uint64_t)(BASE_BSP | BASE_X2APIC | BASE_ENABLE)) != LAPIC_BASE || (x2 && !enable))
		return false;
	if (l->mode == LAPIC_X2APIC && to == LAPIC_XAPIC)
		return false;
	if (l->mode == LAPIC_DISABLED && to == LAPIC_X2APIC)
		return false;
	if (to == l->mode)
		return true;
	if (to == LAPIC_DISABLED || l->mode == LAPIC_DISABLED) {
		uint32_t id = l->id;
		bool bsp = l->bsp;
		lapic_reset(l, id, bsp);
	}
	l->mode = to;
	if (to == LAPIC_X2APIC)
		l->ldr = ((l->id >> 4) << 16) | (1u << (l->id & 15));
	return true;
}

static int highest(const uint32_t map[8])
{
	for (int i = 7; i >= 0; i--) {
		uint32_t w = __atomic_load_n(&map[i], __ATOMIC_ACQUIRE);
		if (w)
			return i * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

/* None is pending, which is so at nearly every entry: quicker than to look for the highest. */
static bool none(const uint32_t map[8])
{
	uint32_t low = __atomic_load_n(&map[0], __ATOMIC_ACQUIRE) | __atomic_load_n(&map[1], __ATOMIC_ACQUIRE) |
		       __atomic_load_n(&map[2], __ATOMIC_ACQUIRE) | __atomic_load_n(&map[3], __ATOMIC_ACQUIRE);
	uint32_t high = __atomic_load_n(&map[4], __ATOMIC_ACQUIRE) | __atomic_load_n(&map[5], __ATOMIC_ACQUIRE) |
			__atomic_load_n(&map[6], __ATOMIC_ACQUIRE) | __atomic_load_n(&map[7], __ATOMIC_ACQUIRE);

	return !(low | high);
}

static uint32_t ppr(const struct lapic *l)
{
	int isr = highest(l->isr);
	uint32_t class = isr < 0 ? 0 : (uint32_t)isr & 0xf0u;

	return (l->tpr & 0xf0u) >= class ? l->tpr : class;
}

static uint32_t divide_shift(uint32_t divide)
{
	uint32_t v = (divide & 3u) | ((divide >> 1) & 4u);

	return (v + 1) & 7u;
}

/* The bus clock is Xen's, which a guest may have measured there before it was moved. */
static uint64_t timer_ns(const struct lapic *l, uint32_t counts)
{
	return ((uint64_t)counts * LAPIC_BUS_NS) << divide_shift(l->timer_divide);
}

static uint32_t timer_current(const struct lapic *l, uint64_t now)
{
	uint64_t ticks;

	if (!l->timer_initial || (l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_TSC || (int64_t)(now - l->timer_start) < 0)
		return 0;
	ticks = ((now - l->timer_start) / LAPIC_BUS_NS) >> divide_shift(l->timer_divide);
	if ((l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_PERIOD)
		return l->timer_initial - (uint32_t)(ticks % l->timer_initial);
	return ticks >= l->timer_initial ? 0 : l->timer_initial - (uint32_t)ticks;
}

static void timer_start(struct lapic *l, uint64_t now)
{
	l->timer_start = now;
	l->timer_deadline = UINT64_MAX;
	if (l->timer_initial && (l->lvt[LVT_TIMER] & TIMER_MODE) != TIMER_TSC)
		l->timer_deadline = now + timer_ns(l, l->timer_initial);
}

bool lapic_timer_expire(struct lapic *l, uint64_t now)
{
	uint64_t period = timer_ns(l, l->timer_initial);

	if (l->timer_deadline == UINT64_MAX || now < l->timer_deadline)
		return false;
	if ((l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_PERIOD && period) {
		/* missed periods are one interrupt; a guest cannot make us loop */
		uint64_t missed = (now - l->timer_deadline) / period;
		l->timer_deadline += (missed + 1) * period;
		l->timer_start = l->timer_deadline - period;
	} else {
		l->timer_deadline = UINT64_MAX;
	}
	if (l->lvt[LVT_TIMER] & LVT_MASKED)
		return false;
	return lapic_accept(l, (uint8_t)l->lvt[LVT_TIMER], false);
}

uint64_t lapic_read(struct lapic *l, uint32_t reg, uint64_t now, bool *bad)
{
	bool x2 = l->mode == LAPIC_X2APIC;

	*bad = false;
	switch (reg) {
	case REG_ID:
		return x2 ? l->id : l->id << 24;
	case REG_VERSION:
		return VERSION;
	case REG_TPR:
		return l->tpr;
	case REG_PPR:
		return ppr(l);
	case REG_LDR:
		return l->ldr;
	case REG_DFR:
		if (x2)
			break;
		return l->dfr;
	case REG_SVR:
		return l->svr;
	case REG_ESR:
		return l->esr;
	case REG_LVT_CMCI:
		return l->lvt[LVT_CMCI];
	case REG_ICR_LOW:
		return x2 ? ((uint64_t)l->icr_high << 32) | l->icr_low : l->icr_low;
	case REG_ICR_HIGH:
		if (x2)
			break;
		return l->icr_high;
	case REG_TIMER_INITIAL:
		return l->timer_initial;
	case REG_TIMER_CURRENT:
		return timer_current(l, now);
	case REG_TIMER_DIVIDE:
		return l->timer_divide;
	case REG_APR:
	case REG_RRD:
	case REG_EOI:
		if (x2)
			break;
		return 0;
	default:
		if (reg >= REG_LVT_TIMER && reg <= REG_LVT_ERROR)
			return l->lvt[LVT_TIMER + ((reg - REG_LVT_TIMER) >> 4)];
		if (reg >= REG_ISR && reg < REG_ISR + 0x80)
			return l->isr[(reg - REG_ISR) >> 4];
		if (reg >= REG_TMR && reg < REG_TMR + 0x80)
			return l->tmr[(reg - REG_TMR) >> 4];
		if (reg >= REG_IRR && reg < REG_IRR + 0x80)
			return __atomic_load_n(&l->irr[(reg - REG_IRR) >> 4], __ATOMIC_ACQUIRE);
		break;
	}
	*bad = x2;
	return 0;
}

static void error_raise(struct lapic *l, uint32_t bit)
{
	l->esr_pending |= bit;
	if (!(l->lvt[LVT_ERROR] & LVT_MASKED) && (uint8_t)l->lvt[LVT_ERROR] >= 16)
		(void)lapic_accept(l, (uint8_t)l->lvt[LVT_ERROR], false);
}

static struct lapic_action icr(struct lapic *l, uint32_t low, uint32_t high, bool x2)
{
	struct lapic_action a = {.kind = LAPIC_SEND};

	l->icr_low = low & 0x000cdfffu & ~LVT_PENDING;
	l->icr_high = x2 ? high : high & 0xff000000u;
	a.vector = (uint8_t)low;
	a.delivery = (low >> 8) & 7u;
	a.logical = low & (1u << 11);
	a.shorthand = (low >> 18) & 3u;
	a.level_deassert = (low & (1u << 15)) && !(low & (1u << 14));
	a.destination = x2 ? high : high >> 24;
	if ((a.delivery == 0 || a.delivery == 1) && a.vector < 16) {
		error_raise(l, ESR_SEND_ILLEGAL);
		return nothing;
	}
	return a;
}

static struct lapic_action eoi(struct lapic *l)
{
	struct lapic_action a = nothing;
	int v = highest(l->isr);

	if (v < 0)
		return a;
	l->isr[v >> 5] &= ~(1u << (v & 31));
	if (l->tmr[v >> 5] & (1u << (v & 31))) {
		a.kind = LAPIC_EOI;
		a.vector = (uint8_t)v;
	}
	return a;
}

static struct lapic_action lvt_write(struct lapic *l, enum lapic_lvt i, uint32_t value, uint64_t now)
{
	static const uint32_t valid[7] = {0x107ffu, 0x700ffu, 0x107ffu, 0x107ffu, 0x1a7ffu, 0x1a7ffu, 0x100ffu};
	uint32_t old = l->lvt[i];

	value &= valid[i];
	if (!(l->svr & SVR_ENABLE))
		value |= LVT_MASKED;
	l->lvt[i] = value;
	if (i != LVT_TIMER)
		return nothing;
	if ((old ^ value) & TIMER_MODE) {
		/* a change of mode disarms */
		l->tsc_deadline = 0;
		l->timer_initial = 0;
		timer_start(l, now);
	}
	return (struct lapic_action){.kind = LAPIC_TIMER_CHANGED};
}

struct lapic_action lapic_write(struct lapic *l, uint32_t reg, uint64_t value, uint64_t now)
{
	bool x2 = l->mode == LAPIC_X2APIC;
	uint32_t v = (uint32_t)value;

	if (x2 && reg != REG_ICR_LOW && value >> 32)
		return fault;
	switch (reg) {
	case REG_TPR:
		if (x2 && v >> 8)
			return fault;
		l->tpr = v & 0xff;
		return nothing;
	case REG_EOI:
		if (x2 && v)
			return fault;
		return eoi(l);
	case REG_SVR:
		l->svr = v & 0x1ffu;
		if (!(l->svr & SVR_ENABLE))
			for (unsigned i = 0; i < 7; i++)
				l->lvt[i] |= LVT_MASKED;
		return nothing;
	case REG_ESR:
		if (x2 && v)
			return fault;
		l->esr = l->esr_pending;
		l->esr_pending = 0;
		return nothing;
	case REG_LVT_CMCI:
		return lvt_write(l, LVT_CMCI, v, now);
	case REG_ICR_LOW:
		return icr(l, v, x2 ? (uint32_t)(value >> 32) : l->icr_high, x2);
	case REG_TIMER_INITIAL:
		if ((l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_TSC)
			return nothing;
		l->timer_initial = v;
		timer_start(l, now);
		return (struct lapic_action){.kind = LAPIC_TIMER_CHANGED};
	case REG_TIMER_DIVIDE:
		l->timer_divide = v & 0xbu;
		timer_start(l, now);
		return (struct lapic_action){.kind = LAPIC_TIMER_CHANGED};
	case REG_SELF_IPI:
		if (!x2)
			return nothing;
		return icr(l, (1u << 18) | (v & 0xff), 0, true);
	default:
		if (reg >= REG_LVT_TIMER && reg <= REG_LVT_ERROR)
			return lvt_write(l, (enum lapic_lvt)(LVT_TIMER + ((reg - REG_LVT_TIMER) >> 4)), v, now);
		break;
	}
	if (x2)
		return fault;
	switch (reg) {
	case REG_ID:
		return nothing; /* read-only, as on current processors */
	case REG_LDR:
		l->ldr = v & 0xff000000u;
		return nothing;
	case REG_DFR:
		l->dfr = v | 0x0fffffffu;
		return nothing;
	case REG_ICR_HIGH:
		l->icr_high = v & 0xff000000u;
		return nothing;
	default:
		return nothing;
	}
}

static bool irr_set(struct lapic *l, uint8_t vector, bool level)
{
	uint32_t bit = 1u << (vector & 31);

	if (level)
		__atomic_fetch_or(&l->tmr[vector >> 5], bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&l->tmr[vector >> 5], ~bit, __ATOMIC_RELAXED);
	return !(__atomic_fetch_or(&l->irr[vector >> 5], bit, __ATOMIC_RELEASE) & bit);
}

bool lapic_accept(struct lapic *l, uint8_t vector, bool level)
{
	if (vector < 16) {
		__atomic_fetch_or(&l->esr_pending, ESR_RECEIVE_ILLEGAL, __ATOMIC_RELAXED);
		return false;
	}
	return lapic_enabled(l) && irr_set(l, vector, level);
}

bool lapic_assert(struct lapic *l, uint8_t vector)
{
	return l->mode != LAPIC_DISABLED && irr_set(l, vector, false);
}

int lapic_pending(const struct lapic *l)
{
	int v;

	if (!lapic_enabled(l) || none(l->irr))
		return -1;
	v = highest(l->irr);
	if (v < 0 || ((uint32_t)v & 0xf0u) <= (ppr(l) & 0xf0u))
		return -1;
	return v;
}

void lapic_take(struct lapic *l, uint8_t vector)
{
	uint32_t bit = 1u << (vector & 31);

	__atomic_fetch_and(&l->irr[vector >> 5], ~bit, __ATOMIC_ACQ_REL);
	l->isr[vector >> 5] |= bit;
}

bool lapic_matches(const struct lapic *l, bool logical, uint32_t destination)
{
	if (l->mode == LAPIC_DISABLED)
		return false;
	if (l->mode == LAPIC_X2APIC) {
		if (destination == 0xffffffffu)
			return true;
		if (!logical)
			return destination == l->id;
		return (destination >> 16) == (l->ldr >> 16) && (destination & l->ldr & 0xffffu);
	}
	if ((destination & 0xffu) == 0xffu)
		return true;
	if (!logical)
		return destination == l->id;
	if (l->dfr >> 28 == 0xfu)
		return (destination & 0xffu) & (l->ldr >> 24);
	return ((destination >> 4) & 0xfu) == (l->ldr >> 28) && (destination & (l->ldr >> 24) & 0xfu);
}

/* ---- saved and loaded ---- */

static uint32_t get(const uint8_t *regs, uint32_t reg)
{
	uint32_t v;

	memcpy(&v, regs + reg, sizeof(v));
	return v;
}

static void put(uint8_t *regs, uint32_t reg, uint32_t v)
{
	memcpy(regs + reg, &v, sizeof(v));
}

uint32_t lapic_divisor(const struct lapic *l)
{
	return 1u << divide_shift(l->timer_divide);
}

void lapic_save(struct lapic *l, uint64_t now, uint8_t regs[LAPIC_REGISTERS])
{
	bool bad;

	memset(regs, 0, LAPIC_REGISTERS);
	for (uint32_t reg = 0; reg < LAPIC_REGISTERS; reg += 16)
		put(regs, reg, (uint32_t)lapic_read(l, reg, now, &bad));
	/* of these x2APIC mode lets nobody read, or shows two as one */
	put(regs, REG_DFR, l->dfr);
	put(regs, REG_ICR_LOW, l->icr_low);
	put(regs, REG_ICR_HIGH, l->icr_high);
}

static void bitmap_load(uint32_t map[8], const uint8_t *regs, uint32_t reg)
{
	for (uint32_t i = 0; i < 8; i++)
		/* vectors below 16 are nobody's */
		__atomic_store_n(&map[i], get(regs, reg + i * 16) & (i ? ~0u : 0xffff0000u), __ATOMIC_RELEASE);
}

void lapic_load(struct lapic *l, uint64_t base, const uint8_t regs[LAPIC_REGISTERS], uint64_t tsc_deadline, uint64_t now)
{
	uint32_t id = l->id, left;
	bool bsp = l->bsp;

	lapic_reset(l, id, bsp);
	l->mode = !(base & BASE_ENABLE) ? LAPIC_DISABLED : base & BASE_X2APIC ? LAPIC_X2APIC : LAPIC_XAPIC;
	if (l->mode == LAPIC_DISABLED)
		return;
	l->svr = get(regs, REG_SVR) & 0x1ffu;
	l->tpr = get(regs, REG_TPR) & 0xffu;
	l->dfr = get(regs, REG_DFR) | 0x0fffffffu;
	l->ldr = l->mode == LAPIC_X2APIC ? ((id >> 4) << 16) | (1u << (id & 15)) : get(regs, REG_LDR) & 0xff000000u;
	l->esr = get(regs, REG_ESR) & 0xffu;
	l->icr_low = get(regs, REG_ICR_LOW) & 0x000cdfffu & ~LVT_PENDING;
	l->icr_high = get(regs, REG_ICR_HIGH);
	bitmap_load(l->isr, regs, REG_ISR);
	bitmap_load(l->tmr, regs, REG_TMR);
	bitmap_load(l->irr, regs, REG_IRR);
	l->timer_divide = get(regs, REG_TIMER_DIVIDE) & 0xbu;
	(void)lvt_write(l, LVT_CMCI, get(regs, REG_LVT_CMCI), now);
	for (uint32_t i = LVT_TIMER; i <= LVT_ERROR; i++)
		(void)lvt_write(l, (enum lapic_lvt)i, get(regs, REG_LVT_TIMER + (i - LVT_TIMER) * 16), now);
	if ((l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_TSC) {
		l->tsc_deadline = tsc_deadline;
		return;
	}
	l->timer_initial = get(regs, REG_TIMER_INITIAL);
	left = get(regs, REG_TIMER_CURRENT);
	timer_start(l, now);
	if (left && left < l->timer_initial) {
		l->timer_start -= timer_ns(l, l->timer_initial - left);
		l->timer_deadline = now + timer_ns(l, left);
	}
	if (!left && (l->lvt[LVT_TIMER] & TIMER_MODE) == TIMER_ONESHOT)
		l->timer_deadline = UINT64_MAX; /* it had fired */
}
