// How calls of POSIX message queues are written in the log.

#ifndef DIFFERENTIAL_FAMILY_MQ_TEXT_H
#define DIFFERENTIAL_FAMILY_MQ_TEXT_H

#include "family_mq.h"

extern const char* const kMqOpNames[kMqOps];
void mq_describe(const Request* request, Text* text);
// Flags of open(2) as the kernel numbers them.
void mq_add_open_flags(Text* text, long flags);
void mq_add_poll_events(Text* text, long events);
void mq_add_epoll_events(Text* text, long events);

#endif
