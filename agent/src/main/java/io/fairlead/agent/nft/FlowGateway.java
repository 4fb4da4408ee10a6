package io.fairlead.agent.nft;

import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** Connections that the kernel remembers, over UDP. Any thread may call. */
public interface FlowGateway extends AutoCloseable {
  /**
   * What a pass did.
   *
   * @param read entries that were looked at
   * @param deleted flows that were ended
   * @param complete false where the kernel's table changed under the reading, or there was too much
   *     to do: what was seen is done, another pass may find more
   */
  record Cleaned(long read, int deleted, boolean complete, Duration took) {}

  /**
   * Ends the flows to those frontends that go to none of their endpoints: to one that is gone, or
   * to nobody because they are older than the rule. A frontend with no endpoints ends all of its
   * flows; a deleted one is given so. Frontends that are no UDP, and flows to others, are left
   * alone. Costs the size of the kernel's table.
   *
   * @param serving by frontend, endpoints that flows may go on with: also those that are not ready
   *     but still serve
   * @throws io.fairlead.core.run.GatewayException UNKNOWN where the kernel refuses; some flows may
   *     be ended
   */
  Cleaned clean(Map<Frontend, Set<Target>> serving);

  /** Flows stay as they are. */
  @Override
  void close();
}
