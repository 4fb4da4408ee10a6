package io.fairlead.core.view;

/** Why a node uses just these endpoints of a service port, or none. */
public enum Selection {
  READY("all endpoints that are ready"),
  SAME_NODE("the ready endpoints whose hints name this node"),
  SAME_ZONE("the ready endpoints whose hints name this node's zone"),
  TERMINATING("no endpoint is ready: those that still serve while they terminate"),
  LOCAL("internalTrafficPolicy Local: the ready endpoints on this node"),
  LOCAL_TERMINATING(
      "internalTrafficPolicy Local: no endpoint on this node is ready, those on it that still serve while they terminate"),
  ELSEWHERE("internalTrafficPolicy Local: all usable endpoints are on other nodes"),
  NOBODY("no endpoint is ready, and none still serves while it terminates");

  private final String text;

  Selection(String text) {
    this.text = text;
  }

  /** In words, for people. */
  public String text() {
    return text;
  }
}
