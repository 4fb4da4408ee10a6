package io.fairlead.agent.nft;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Connections that the kernel remembers. Any thread may call. */
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
   * flows; a deleted one is given so. Frontends over SCTP, flows over TCP that are ending, and
   * flows to other frontends are left alone. A flow over TCP that is ended is reset when its client
   * sends something: its next packet is taken for the first of a connection, which whoever gets it
   * then does not know. Costs the size of the kernel's table.
   *
   * @param serving by frontend, endpoints that flows may go on with: also those that are not ready
   *     but still serve
   * @throws io.fairlead.core.run.GatewayException UNKNOWN where the kernel refuses; some flows may
   *     be ended
   */
  Cleaned clean(Map<Frontend, Set<Target>> serving);

  /**
   * Which connections are looked for.
   *
   * @param protocol empty = all
   * @param clientPort 0 = any
   * @param port of the VIP; 0 = any
   * @param most that are told
   */
  record Query(
      Optional<Protocol> protocol,
      Address client,
      int clientPort,
      Address vip,
      int port,
      int most) {}

  /**
   * A connection as the kernel remembers it.
   *
   * @param to where it goes; the frontend itself where it is not translated
   * @param seenAs the client's address and port as the endpoint sees them
   * @param state as conntrack names it; of UDP ANSWERED or UNANSWERED
   * @param timeout until it is forgotten, were nothing more sent
   * @param sent by the client; empty where the kernel does not count
   * @param since empty where the kernel does not keep it
   */
  record Flow(
      Frontend frontend,
      Target client,
      Target to,
      Target seenAs,
      String state,
      Duration timeout,
      Optional<Count> sent,
      Optional<Count> received,
      Optional<Instant> since) {}

  record Count(long packets, long bytes) {}

  /**
   * What was found.
   *
   * @param more there are more than the most that was asked for
   * @param read entries that were looked at
   */
  record Found(List<Flow> flows, boolean more, long read) {
    public Found {
      flows = List.copyOf(flows);
    }
  }

  /**
   * Connections of a client to a VIP, in the order in which the kernel tells them. Costs the size
   * of the kernel's table.
   *
   * @throws io.fairlead.core.run.GatewayException KNOWN_FAILED where the kernel refuses
   */
  Found find(Query query);

  /** Flows stay as they are. */
  @Override
  void close();
}
