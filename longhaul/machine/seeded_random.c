/*
 * Makes a User-Mode Linux kernel's random numbers a function of LONGHAUL_SEED.
 *
 * The kernel (UML) takes all its entropy from the C library's getrandom: at boot, and again whenever its generator is
 * reseeded. Preloaded (LD_PRELOAD) before the kernel starts, this answers those calls from splitmix64, so
 * that TCP sequence numbers, port choices, hashes and netem's draws repeat from run to run.
 * Without LONGHAUL_SEED the real system call answers. Never preload this into anything that keeps a secret.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int seeded;
static uint64_t state;

__attribute__((constructor)) static void read_seed(void)
{
	const char *text = getenv("LONGHAUL_SEED");
	char *end;

	if (!text || !*text)
		return;
	errno = 0;
	state = strtoull(text, &end, 10);
	if (*end || errno || strspn(text, "0123456789") == 0) {
		fprintf(stderr, "longhaul: LONGHAUL_SEED=%s is not a number from 0 to 2^64-1\n", text);
		_exit(2);
	}
	seeded = 1;
}

/* Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014. */
static uint64_t splitmix64(void)
{
	uint64_t z = __atomic_add_fetch(&state, UINT64_C(0x9e3779b97f4a7c15), __ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void fill(unsigned char *out, size_t length)
{
	while (length) {
		uint64_t word = splitmix64();
		size_t part = length < sizeof(word) ? length : sizeof(word);

		memcpy(out, &word, part);
		out += part;
		length -= part;
	}
}

ssize_t getrandom(void *buffer, size_t length, unsigned int flags)
{
	if (!seeded)
		return syscall(SYS_getrandom, buffer, length, flags);
	fill(buffer, length);
	return (ssize_t)length;
}

int getentropy(void *buffer, size_t length)
{
	if (length > 256) {
		errno = EIO;
		return -1;
	}
	return getrandom(buffer, length, 0) == (ssize_t)length ? 0 : -1;
}
