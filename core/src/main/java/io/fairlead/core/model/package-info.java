/**
 * The nouns of Fairlead as immutable values: addresses, Services, Pods, Nodes, positions. No I/O,
 * no clock.
 */
@NullMarked
package io.fairlead.core.model;

import org.jspecify.annotations.NullMarked;
