/** What is decided about Pods and Nodes, and what the owners of partitions do by themselves. */
@NullMarked
package io.fairlead.endpoints.decider;

import org.jspecify.annotations.NullMarked;
