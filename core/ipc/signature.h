// The signature of a cell's layout: sizes and offsets of all that stands in it. Two builds that
// disagree refuse each other's cells.
#pragma once

#include "core/ipc/msg.h"

namespace ipcell {

constexpr u64 kLayoutSignature = hash_layout({
    sizeof(CellLayout),
    kHeapOffset,
    kCellSize,
    kTaskSlots,
    kJournalEntries,
    kBlockClasses,
    sizeof(TaskRec),
    offsetof(TaskRec, intents),
    offsetof(TaskRec, wait),
    offsetof(TaskRec, in_flight),
    offsetof(TaskRec, cache),
    offsetof(TaskRec, journal_count),
    offsetof(TaskRec, journal),
    sizeof(WaitNode),
    offsetof(WaitNode, object),
    offsetof(WaitNode, message),
    offsetof(CellLayout, heap),
    offsetof(CellLayout, registries),
    offsetof(CellLayout, task_states),
    offsetof(CellLayout, tasks),
    sizeof(Registry),
    offsetof(Registry, entries),
    sizeof(Heap),
    offsetof(Heap, classes),
    offsetof(Heap, chunk_class),
    sizeof(Limits),
    offsetof(Header, limits),
    sizeof(MsgBlock),
    sizeof(MsgQueueRec),
    offsetof(MsgQueueRec, perm),
    offsetof(MsgQueueRec, load),
    offsetof(MsgQueueRec, receivers),
    offsetof(MsgQueueRec, unsettled),
});

}  // namespace ipcell
