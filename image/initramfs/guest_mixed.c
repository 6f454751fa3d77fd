/*
 * The mixed load (guest_mixed.h). A process for each kind of work; they share their counters with the one
 * that reports. What goes wrong is counted, and told by a line of its own.
 */
#include "guest_mixed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	FORK_PAGES = 16,
	FORK_EXEC_EVERY = 8,
	MEMORY_PAGES = 512,
	FILE_BYTES = 128 * 1024,
	TIMER_LONGEST_US = 20000,
	LATE_MS = 5000, /* later than this is wrong, however busy the CPUs are */
	END_SECONDS = 60,
	CPUS_MAX = 64,
	BURST_EVERY_SECONDS = 4,
	MEMBARRIER_EXPEDITED =
	    1 << 3, /* linux/membarrier.h: PRIVATE_EXPEDITED, and the registration for it */
	MEMBARRIER_REGISTER = 1 << 4,
};

static struct shared {
	_Atomic uint64_t forks, pages, timers, ipis, late_ms, wrong;
	_Atomic bool stop;
} * all;

static void wrong(const char *what)
{
	if (atomic_fetch_add(&all->wrong, 1) < 20)
		printf("INSULA-GUEST: mixed wrong: %s (errno %d)\n", what, errno);
	fflush(stdout);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* All that computes does so in the first second of every four of the real-time clock, which the machine's
 * domains have in common: there everybody wants every CPU. Timers go on in between. */
static void in_bursts(void)
{
	struct timespec t;
	uint64_t at;

	clock_gettime(CLOCK_REALTIME, &t);
	at = (uint64_t)t.tv_sec % BURST_EVERY_SECONDS * 1000000 + (uint64_t)t.tv_nsec / 1000;
	if (at >= 1000000 && !all->stop)
		usleep((useconds_t)(BURST_EVERY_SECONDS * 1000000 - at));
}

static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void *pages_new(size_t pages)
{
	void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void pages_fill(uint64_t *words, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages * PAGE / 8; i += 8)
		words[i] = seed ^ i * 0x9e3779b97f4a7c15u;
}

static bool pages_are(const uint64_t *words, size_t pages, uint64_t seed)
{
	for (size_t i = 0; i < pages * PAGE / 8; i += 8)
		if (words[i] != (seed ^ i * 0x9e3779b97f4a7c15u))
			return false;
	return true;
}

/* ---- processes: a child sees its parent's memory, writes into its own, and some become another program ----
 */

static void fork_child(uint64_t *words, uint64_t n)
{
	if (!pages_are(words, FORK_PAGES, n))
		_exit(1);
	if (n % FORK_EXEC_EVERY == 0) {
		execl("/bin/busybox", "true", (char *)NULL);
		_exit(2);
	}
	pages_fill(words, FORK_PAGES, ~n);
	_exit(pages_are(words, FORK_PAGES, ~n) ? 0 : 3);
}

static void fork_work(void)
{
	uint64_t *words = pages_new(FORK_PAGES);

	for (uint64_t n = 1; words && !all->stop; n++) {
		int status = -1;
		pid_t child;

		in_bursts();
		pages_fill(words, FORK_PAGES, n);
		child = fork();
		if (child == 0)
			fork_child(words, n);
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
			wrong("a child's end");
		if (!pages_are(words, FORK_PAGES, n))
			wrong("memory after a fork");
		all->forks++;
	}
}

/* ---- memory: mapped, moved, given back, protected; and files in memory ---- */

static bool memory_round(uint64_t n)
{
	uint64_t *words = pages_new(MEMORY_PAGES), *moved;
	const size_t half = MEMORY_PAGES / 2;

	if (!words)
		return false;
	pages_fill(words, MEMORY_PAGES, n);
	moved = mremap(words, MEMORY_PAGES * PAGE, 2 * MEMORY_PAGES * PAGE, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED)
		return false;
	if (!pages_are(moved, MEMORY_PAGES, n) || madvise(moved, half * PAGE, MADV_DONTNEED))
		return false;
	for (size_t i = 0; i < half * PAGE / 8; i += 64)
		if (moved[i])
			return false;
	if (mprotect(moved, MEMORY_PAGES * PAGE, PROT_READ) ||
	    moved[half * PAGE / 8] != (n ^ half * PAGE / 8 * 0x9e3779b97f4a7c15u))
		return false;
	all->pages += MEMORY_PAGES + half;
	return munmap(moved, 2 * MEMORY_PAGES * PAGE) == 0;
}

static bool memory_file(uint64_t n)
{
	static uint64_t out[FILE_BYTES / 8], in[FILE_BYTES / 8];
	int file = open("/tmp/mixed", O_RDWR | O_CREAT | O_TRUNC, 0600);
	bool good;

	pages_fill(out, FILE_BYTES / PAGE, n);
	good = file >= 0 && write(file, out, FILE_BYTES) == FILE_BYTES && lseek(file, 0, SEEK_SET) == 0 &&
	       read(file, in, FILE_BYTES) == FILE_BYTES && memcmp(in, out, FILE_BYTES) == 0;
	return close(file) == 0 && unlink("/tmp/mixed") == 0 && good;
}

static void memory_work(void)
{
	for (uint64_t n = 1; !all->stop; n++) {
		in_bursts();
		if (!memory_round(n))
			wrong("memory mapped and moved");
		if (!memory_file(n))
			wrong("a file");
	}
}

/* ---- timers: never early ---- */

static void timer_late(uint64_t due)
{
	uint64_t now = now_us(), late = (now - due) / 1000;

	if (now < due) {
		wrong("a timer was early");
		return;
	}
	if (late > all->late_ms)
		all->late_ms = late;
	if (late > LATE_MS)
		wrong("a timer was late by seconds");
}

static void timer_work(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint32_t state = 1;

	while (fd >= 0 && !all->stop) {
		uint64_t due = now_us() + 1 + random_next(&state) % TIMER_LONGEST_US, times;
		struct timespec at = {.tv_sec = (time_t)(due / 1000000),
				      .tv_nsec = (long)(due % 1000000 * 1000)};
		struct itimerspec wish = {.it_value = at};

		if (random_next(&state) & 1) {
			if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL))
				wrong("clock_nanosleep");
		} else if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &wish, NULL) || read(fd, &times, 8) != 8 ||
			   times != 1) {
			wrong("timerfd");
		}
		timer_late(due);
		all->timers++;
	}
}

/*
 * ---- interrupts between CPUs: a thread on each hands a token to the next (it is woken from another CPU),
 * changes a page's protection, which the others must hear of, and asks for a barrier on all. The clock that
 * goes along with the token never goes back ----
 */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t turn[CPUS_MAX];
	unsigned at, count;
	uint64_t time;
	volatile uint64_t *page;
} ring = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void ring_turn(void)
{
	uint64_t now;

	in_bursts();
	now = now_us();
	if (now < ring.time)
		wrong("the clock went back between CPUs");
	ring.time = now;
	if (mprotect((void *)ring.page, PAGE, PROT_READ) ||
	    mprotect((void *)ring.page, PAGE, PROT_READ | PROT_WRITE))
		wrong("mprotect");
	++*ring.page;
	if (syscall(SYS_membarrier, MEMBARRIER_EXPEDITED, 0, 0))
		wrong("membarrier");
	all->ipis++;
}

static void *ring_thread(void *argument)
{
	unsigned self = (unsigned)(uintptr_t)argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(self, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		wrong("sched_setaffinity");
	pthread_mutex_lock(&ring.lock);
	for (;;) {
		while (ring.at != self && !all->stop)
			pthread_cond_wait(&ring.turn[self], &ring.lock);
		if (all->stop)
			break;
		ring_turn();
		ring.at = (self + 1) % ring.count;
		pthread_cond_signal(&ring.turn[ring.at]);
	}
	pthread_cond_signal(&ring.turn[(self + 1) % ring.count]);
	pthread_mutex_unlock(&ring.lock);
	return NULL;
}

static void ipi_work(void)
{
	pthread_t thread[CPUS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	ring.count = cpus < 1 ? 1 : cpus > CPUS_MAX ? CPUS_MAX : (unsigned)cpus;
	ring.page = pages_new(1);
	if (!ring.page || syscall(SYS_membarrier, MEMBARRIER_REGISTER, 0, 0)) {
		wrong("membarrier is not there");
		return;
	}
	for (unsigned i = 0; i < ring.count; i++)
		pthread_cond_init(&ring.turn[i], NULL);
	for (unsigned i = 0; i < ring.count; i++)
		if (pthread_create(&thread[i], NULL, ring_thread, (void *)(uintptr_t)i)) {
			wrong("pthread_create");
			_exit(1);
		}
	for (unsigned i = 0; i < ring.count; i++)
		pthread_join(thread[i], NULL);
	if (*ring.page != all->ipis)
		wrong("a page's counter");
}

/* ---- all of it ---- */

static void report(const char *when, uint64_t start)
{
	printf("INSULA-GUEST: mixed %s seconds=%" PRIu64 " forks=%" PRIu64 " pages=%" PRIu64
	       " timers=%" PRIu64 " ipis=%" PRIu64 " late_ms=%" PRIu64 " wrong=%" PRIu64 "\n",
	       when, (now_us() - start) / 1000000, all->forks, all->pages, all->timers, all->ipis,
	       all->late_ms, all->wrong);
	fflush(stdout);
}

/* How often the kernel's clock interrupt found the next event past already, of /proc/timer_list: the sum of
 * all CPUs. */
static uint64_t interrupts(const char *what)
{
	FILE *list = fopen("/proc/timer_list", "r");
	char line[256];
	uint64_t sum = 0, n;

	while (list && fgets(line, sizeof(line), list)) {
		const char *at = strstr(line, what), *colon = at ? strchr(at, ':') : NULL;

		if (colon && sscanf(colon, ": %" SCNu64, &n) == 1)
			sum += n;
	}
	if (list)
		(void)fclose(list);
	return sum;
}

static void wait_for(pid_t worker)
{
	for (unsigned i = 0; i < END_SECONDS * 10; i++) {
		int status;
		pid_t ended = waitpid(worker, &status, WNOHANG);

		if (ended) {
			if (ended != worker || status != 0)
				wrong("a worker's end");
			return;
		}
		usleep(100000);
	}
	wrong("a worker does not end");
	kill(worker, SIGKILL);
}

int mixed_load(unsigned seconds)
{
	static void (*const work[])(void) = {fork_work, memory_work, timer_work, ipi_work};
	const size_t kinds = sizeof(work) / sizeof(*work);
	pid_t worker[sizeof(work) / sizeof(*work)];
	uint64_t start = now_us();

	all = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < kinds; i++) {
		worker[i] = fork();
		if (worker[i] == 0) {
			work[i]();
			_exit(0);
		}
	}
	while (now_us() - start < seconds * 1000000ull) {
		uint64_t left = start + seconds * 1000000ull - now_us();

		usleep((useconds_t)(left < 10000000 ? left : 10000000));
		report("works", start);
	}
	all->stop = true;
	for (size_t i = 0; i < kinds; i++)
		wait_for(worker[i]);
	printf("INSULA-GUEST: clock interrupts=%" PRIu64 " retries=%" PRIu64 " hangs=%" PRIu64 "\n",
	       interrupts(".nr_events"), interrupts(".nr_retries"), interrupts(".nr_hangs"));
	report("done", start);
	return all->wrong != 0;
}
