/** One per node: nftables, probes, Pod sources. */
@NullMarked
package io.fairlead.agent;

import org.jspecify.annotations.NullMarked;
