package io.fairlead.decider;

import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.log.EventLog;

/** What all partitions of a service work with. */
record Parts<C, R>(
    DeciderSettings settings,
    EventLog log,
    Coordination coordination,
    Feed feed,
    PartitionLogic<C, R> logic,
    FaultHandler faults,
    FaultPoints points,
    Time time,
    RandomSource random,
    DeciderStats stats) {}
