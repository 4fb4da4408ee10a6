package io.fairlead.agent.nft;

import io.fairlead.core.view.NodeRules.Frontend;

/** A frontend that the kernel does not take, with its words; its former state stays programmed. */
public record Refused(Frontend frontend, String words) {}
