/*
 * Preloaded into a program that uses RDMA verbs: a poll that finds nothing waits.
 *
 * Such programs ask their completion queues again and again, without a system call. In virtual time nothing else
 * happens while a program computes, so what it asks for never comes. Here every queue has a completion channel: its
 * own, as long as the program asks for no events itself, or a hidden one, which all queues of a device share. Whoever
 * finds a queue empty arms it, looks once more, and sleeps until any queue has something; or for a while, as it may
 * wait for other things, too: 1 us at first, twice as long after each poll in vain, 4 ms at most. Who asks for events
 * and polls nevertheless, more than 16 times in vain, sleeps for a while.
 *
 * sched_yield() and pthread_spin_lock() sleep, too, where they would spin: whoever holds the lock may be asleep.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <infiniband/verbs.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>

#define MOST 4096
#define SHORTEST_NS 1000
#define LONGEST_NS 4000000
#define PATIENCE 16
#define VERSION "IBVERBS_1.1"

struct queue {
	struct ibv_cq *cq;
	int armed;
	int own;	/* the program asks for events itself: not ours to take */
};

struct device {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	int (*poll)(struct ibv_cq *, int, struct ibv_wc *);
	int (*notify)(struct ibv_cq *, int);
};

static struct queue queues[MOST];
static struct device devices[MOST];
static int queue_count, device_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread long idle_ns = SHORTEST_NS;
static __thread int in_vain;	/* polls of queues whose events are the program's own */

static long longer(void)
{
	long now = idle_ns;

	idle_ns = now * 2 < LONGEST_NS ? now * 2 : LONGEST_NS;
	return now;
}

static struct device *device_of(struct ibv_context *context)
{
	for (int i = 0; i < device_count; i++)
		if (devices[i].context == context)
			return &devices[i];
	return NULL;
}

/* Queues are noted when they are first asked: there are several ways to make one. */
static struct queue *queue_of(struct ibv_cq *cq)
{
	for (int i = 0; i < queue_count; i++)
		if (queues[i].cq == cq)
			return &queues[i];
	if (queue_count == MOST)
		return NULL;
	queues[queue_count] = (struct queue){ cq, 0, 0 };
	return &queues[queue_count++];
}

static int waits(const struct queue *queue)
{
	return queue->cq->channel && !queue->own;
}

/* Every channel that completions of ours may come by, once. */
static int channels(struct pollfd *fds, struct ibv_comp_channel **found)
{
	int count = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < queue_count; i++) {
		struct ibv_comp_channel *channel = queues[i].cq->channel;
		int known = 0;

		for (int j = 0; j < count; j++)
			known |= found[j] == channel;
		if (known || !waits(&queues[i]))
			continue;
		fds[count] = (struct pollfd){ channel->fd, POLLIN, 0 };
		found[count++] = channel;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

/* Take what a channel says; that queue has to be armed again. */
static void hear(struct ibv_comp_channel *channel)
{
	struct ibv_cq *cq;
	struct queue *queue;
	void *cookie;

	if (ibv_get_cq_event(channel, &cq, &cookie))
		return;
	ibv_ack_cq_events(cq, 1);
	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue)
		queue->armed = 0;
	pthread_mutex_unlock(&lock);
}

static void wait_for_any(void)
{
	static __thread struct pollfd fds[MOST];
	static __thread struct ibv_comp_channel *found[MOST];
	struct timespec limit = { 0, longer() };
	int count = channels(fds, found);

	if (ppoll(fds, count, &limit, NULL) <= 0)
		return;
	for (int i = 0; i < count; i++)
		if (fds[i].revents & POLLIN)
			hear(found[i]);
}

/* Whether the program leaves it to us to wait for this queue; `newly` whether that has to be armed. */
static int ours(struct ibv_cq *cq, int *newly)
{
	struct queue *queue;
	int found;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	found = queue && !queue->own;
	*newly = found && waits(queue) && !queue->armed;
	if (*newly)
		queue->armed = 1;
	pthread_mutex_unlock(&lock);
	return found;
}

static int patient_poll(struct ibv_cq *cq, int most, struct ibv_wc *wc)
{
	struct device *device = device_of(cq->context);
	int found = device->poll(cq, most, wc), newly;

	if (!found && most > 0 && (ours(cq, &newly) || ++in_vain > PATIENCE)) {
		if (newly && !device->notify(cq, 0))
			found = device->poll(cq, most, wc);
		if (!found) {
			wait_for_any();
			found = device->poll(cq, most, wc);
		}
	}
	if (found) {
		idle_ns = SHORTEST_NS;
		in_vain = 0;
	}
	return found;
}

/* The program asks for events: from now on this queue's are its own. */
static int own_notify(struct ibv_cq *cq, int solicited)
{
	struct queue *queue;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue)
		queue->own = 1;
	pthread_mutex_unlock(&lock);
	return device_of(cq->context)->notify(cq, solicited);
}

struct ibv_context *ibv_open_device(struct ibv_device *which)
{
	struct ibv_context *(*open)(struct ibv_device *) = dlvsym(RTLD_NEXT, "ibv_open_device", VERSION);
	struct ibv_context *context = open(which);

	if (!context || device_count == MOST)
		return context;
	pthread_mutex_lock(&lock);
	devices[device_count++] =
		(struct device){ context, NULL, context->ops.poll_cq, context->ops.req_notify_cq };
	pthread_mutex_unlock(&lock);
	context->ops.poll_cq = patient_poll;
	context->ops.req_notify_cq = own_notify;
	return context;
}

int ibv_close_device(struct ibv_context *context)
{
	int (*close)(struct ibv_context *) = dlvsym(RTLD_NEXT, "ibv_close_device", VERSION);
	struct ibv_comp_channel *channel = NULL;
	struct device *device;

	pthread_mutex_lock(&lock);
	device = device_of(context);
	if (device) {
		channel = device->channel;
		*device = devices[--device_count];
	}
	pthread_mutex_unlock(&lock);
	if (channel)
		ibv_destroy_comp_channel(channel);
	return close(context);
}

static struct ibv_comp_channel *hidden_channel(struct ibv_context *context)
{
	struct device *device = device_of(context);

	if (!device)
		return NULL;
	if (!device->channel)
		device->channel = ibv_create_comp_channel(context);
	return device->channel;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *context, int entries, void *cookie, struct ibv_comp_channel *channel,
			     int vector)
{
	struct ibv_cq *(*create)(struct ibv_context *, int, void *, struct ibv_comp_channel *, int) =
		dlvsym(RTLD_NEXT, "ibv_create_cq", VERSION);
	struct ibv_cq *cq;

	if (channel)
		return create(context, entries, cookie, channel, vector);
	pthread_mutex_lock(&lock);
	cq = create(context, entries, cookie, hidden_channel(context), vector);
	pthread_mutex_unlock(&lock);
	return cq;
}

int ibv_destroy_cq(struct ibv_cq *cq)
{
	int (*destroy)(struct ibv_cq *) = dlvsym(RTLD_NEXT, "ibv_destroy_cq", VERSION);
	struct queue *queue;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue)
		*queue = queues[--queue_count];
	pthread_mutex_unlock(&lock);
	return destroy(cq);
}

static void nap(void)
{
	struct timespec pause = { 0, SHORTEST_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

int sched_yield(void)
{
	nap();
	return 0;
}

int pthread_spin_lock(pthread_spinlock_t *spinlock)
{
	while (pthread_spin_trylock(spinlock))
		nap();
	return 0;
}
