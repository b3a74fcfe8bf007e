/*
 * Preloaded into a program that uses RDMA verbs: a poll that finds nothing waits.
 *
 * Such programs ask their completion queues again and again, without a system call. In virtual time nothing else
 * happens while a program computes, so what it asks for never comes. Here every queue has a completion channel: the
 * program's, or a hidden one, which all queues of a device share. Whoever finds a queue empty arms it, looks once more,
 * and sleeps until any queue has something; or for a while, as it may wait for other things, too: 1 us at first, twice
 * as long after each poll in vain, 4 ms at most.
 *
 * Events that the program has asked for itself are its own: they wake us, and are left for it to read. So that a
 * program that goes to sleep by itself is not held up, its queues wait only after 16 polls in vain; and as they are
 * armed then, it may be told of a completion that it has seen already, which verbs allow.
 *
 * sched_yield() and pthread_spin_lock() sleep, too, where they would spin: whoever holds the lock may be asleep.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <infiniband/verbs.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#define MOST 4096
#define SHORTEST_NS 1000
#define LONGEST_NS 4000000
#define PATIENCE 16
#define VERSION "IBVERBS_1.1"

struct queue {
	struct ibv_cq *cq;
	int armed;
	int own;	/* the program asks for events of its channel itself: not ours to take */
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
static int changes;	/* of the queues and whose they are */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread long idle_ns = SHORTEST_NS;
static __thread int in_vain;	/* polls of queues whose events the program asks for itself */

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
	struct queue *queue = &queues[queue_count];

	for (int i = 0; i < queue_count; i++)
		if (queues[i].cq == cq)
			return &queues[i];
	if (queue_count == MOST)
		return NULL;
	*queue = (struct queue){ cq, 0, 0 };
	for (int i = 0; i < queue_count; i++)
		queue->own |= queues[i].own && queues[i].cq->channel == cq->channel;
	queue_count++;
	changes++;
	return queue;
}

/* This thread's set of every channel that completions may come by. One that the program reads tells of each event once,
 * as those of before stay in it. */
static int all_channels(void)
{
	static __thread int set = -1, known;

	if (set < 0)
		set = epoll_create1(EPOLL_CLOEXEC);
	pthread_mutex_lock(&lock);
	for (int i = 0; known != changes && i < queue_count; i++) {
		struct ibv_comp_channel *channel = queues[i].cq->channel;
		struct epoll_event told = { EPOLLIN | (queues[i].own ? EPOLLET : 0), { channel } };

		if (channel && epoll_ctl(set, EPOLL_CTL_ADD, channel->fd, &told))
			epoll_ctl(set, EPOLL_CTL_MOD, channel->fd, &told);
	}
	known = changes;
	pthread_mutex_unlock(&lock);
	return set;
}

/* Something has come by a channel: its queues have to be armed again. What it says is taken, if nobody else does. */
static void hear(struct ibv_comp_channel *channel)
{
	struct pollfd there = { channel->fd, POLLIN, 0 };
	struct ibv_cq *cq;
	void *cookie;
	int own = 0;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < queue_count; i++)
		if (queues[i].cq->channel == channel) {
			queues[i].armed = 0;
			own |= queues[i].own;
		}
	if (!own && poll(&there, 1, 0) > 0 && !ibv_get_cq_event(channel, &cq, &cookie))
		ibv_ack_cq_events(cq, 1);
	pthread_mutex_unlock(&lock);
}

static void wait_for_any(void)
{
	struct pollfd any = { all_channels(), POLLIN, 0 };
	struct timespec limit = { 0, longer() };
	struct epoll_event told[16];
	int woken, count;

	prctl(PR_SET_TIMERSLACK, 1);
	woken = ppoll(&any, 1, &limit, NULL);
	prctl(PR_SET_TIMERSLACK, 0);
	count = woken > 0 ? epoll_wait(any.fd, told, 16, 0) : 0;
	for (int i = 0; i < count; i++)
		hear(told[i].data.ptr);
}

/* Whether this empty queue is to be waited for now; `newly` whether it has to be armed for that. */
static int waits(struct ibv_cq *cq, int *newly)
{
	struct queue *queue;
	int found;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	found = !queue || queue->own ? ++in_vain > PATIENCE : 1;
	*newly = found && queue && cq->channel && !queue->armed;
	if (*newly)
		queue->armed = 1;
	pthread_mutex_unlock(&lock);
	return found;
}

static int patient_poll(struct ibv_cq *cq, int most, struct ibv_wc *wc)
{
	struct device *device = device_of(cq->context);
	int found = device->poll(cq, most, wc), newly;

	if (!found && most > 0 && waits(cq, &newly)) {
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

/* The program asks for events: from now on those of the queue's channel are its own. */
static int own_notify(struct ibv_cq *cq, int solicited)
{
	struct queue *queue;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue) {
		queue->armed = 1;
		changes += !queue->own;
		for (int i = 0; i < queue_count; i++)
			queues[i].own |= queues[i].cq->channel == cq->channel;
	}
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
