/*
 * Preloaded into a program that uses RDMA verbs: a poll that finds nothing waits.
 *
 * Such programs ask their completion queues again and again, without a system call. In virtual time nothing else
 * happens while a program computes, so what it asks for never comes. Here every queue that has no completion channel
 * is given a hidden one, which all queues of a device share. Whoever finds a queue empty arms it, looks once more,
 * and sleeps until any of them has something; or for a while, as it may wait for other things, too: 1 us at first, twice
 * as long after each poll in vain, 4 ms at most.
 *
 * sched_yield() sleeps in the same way: some programs spin on that instead.
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
#define VERSION "IBVERBS_1.1"

struct queue {
	struct ibv_cq *cq;
	int armed;
};

struct device {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	int (*poll)(struct ibv_cq *, int, struct ibv_wc *);
};

static struct queue queues[MOST];
static struct device devices[MOST];
static int queue_count, device_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread long idle_ns = SHORTEST_NS;

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

static struct queue *queue_of(struct ibv_cq *cq)
{
	for (int i = 0; i < queue_count; i++)
		if (queues[i].cq == cq)
			return &queues[i];
	return NULL;
}

/* Take what the hidden channel says; those queues have to be armed again. */
static void hear(struct device *device)
{
	struct ibv_cq *cq;
	struct queue *queue;
	void *cookie;

	if (ibv_get_cq_event(device->channel, &cq, &cookie))
		return;
	ibv_ack_cq_events(cq, 1);
	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue)
		queue->armed = 0;
	pthread_mutex_unlock(&lock);
}

static int arm(struct ibv_cq *cq)
{
	struct queue *queue;
	int newly = 0;

	pthread_mutex_lock(&lock);
	queue = queue_of(cq);
	if (queue && !queue->armed)
		newly = queue->armed = 1;
	pthread_mutex_unlock(&lock);
	return newly && !ibv_req_notify_cq(cq, 0);
}

static int patient_poll(struct ibv_cq *cq, int most, struct ibv_wc *wc)
{
	struct device *device = device_of(cq->context);
	int found = device->poll(cq, most, wc);

	if (found || most < 1 || !device->channel || cq->channel != device->channel)
		goto out;
	if (arm(cq))
		found = device->poll(cq, most, wc);
	if (!found) {
		struct pollfd event = { device->channel->fd, POLLIN, 0 };
		struct timespec limit = { 0, longer() };

		if (ppoll(&event, 1, &limit, NULL) > 0)
			hear(device);
		found = device->poll(cq, most, wc);
	}
out:
	if (found)
		idle_ns = SHORTEST_NS;
	return found;
}

struct ibv_context *ibv_open_device(struct ibv_device *which)
{
	struct ibv_context *(*open)(struct ibv_device *) = dlvsym(RTLD_NEXT, "ibv_open_device", VERSION);
	struct ibv_context *context = open(which);

	if (!context || device_count == MOST)
		return context;
	pthread_mutex_lock(&lock);
	devices[device_count++] = (struct device){ context, NULL, context->ops.poll_cq };
	pthread_mutex_unlock(&lock);
	context->ops.poll_cq = patient_poll;
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

	if (!device || queue_count == MOST)
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
	if (cq && cq->channel)
		queues[queue_count++] = (struct queue){ cq, 0 };
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

int sched_yield(void)
{
	struct timespec pause = { 0, SHORTEST_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	return 0;
}
