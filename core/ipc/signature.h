// The signature of a cell's layout: sizes and offsets of all that stands in it. Two builds that
// disagree refuse each other's cells.
#pragma once

#include "core/ipc/msg.h"
#include "core/ipc/undo.h"

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
    offsetof(WaitNode, sem),
    sizeof(SemWait),
    sizeof(SemOp),
    offsetof(TaskRec, array),
    offsetof(TaskRec, journal_blocks),
    kJournalBlockEntries,
    sizeof(ProcessTable),
    offsetof(CellLayout, processes),
    sizeof(ArrayBlock),
    kLeafBytes,
    sizeof(Semaphore),
    sizeof(SemSetRec),
    offsetof(SemSetRec, perm),
    offsetof(SemSetRec, sems),
    offsetof(SemSetRec, undos),
    offsetof(SemSetRec, burying),
    sizeof(UndoProcess),
    offsetof(UndoProcess, undos),
    sizeof(UndoRec),
    offsetof(UndoRec, adjustments),
});

}  // namespace ipcell
