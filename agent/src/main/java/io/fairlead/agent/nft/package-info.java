/** The kernel's half of the agent: nftables in process. */
@NullMarked
package io.fairlead.agent.nft;

import org.jspecify.annotations.NullMarked;
