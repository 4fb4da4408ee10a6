package io.fairlead.agent.ruleset;

import java.util.Optional;

/**
 * One step of a transaction on the table of one family. Keys and values of elements are text in
 * nft's own spelling, always the canonical one of {@link Elements}, so that equal elements are
 * equal texts.
 */
public sealed interface Command {
  /** Creates the table; nothing happens where it exists. */
  record AddTable() implements Command {}

  /** Deletes the table with everything in it; refused where there is none. */
  record DeleteTable() implements Command {}

  /** Creates a set or map. */
  record AddSet(SetSpec spec) implements Command {}

  record DeleteSet(String name) implements Command {}

  /**
   * Creates a chain; with a hook it is a base chain, for example {@code type nat hook output
   * priority -100;}.
   */
  record AddChain(String name, Optional<String> hook) implements Command {}

  /** Removes all rules of a chain. */
  record FlushChain(String name) implements Command {}

  record AddRule(String chain, Rule rule) implements Command {}

  /** Deletes a chain with its rules; refused while something goes to it. */
  record DeleteChain(String name) implements Command {}

  /** Adds an element; refused where the key has another value. A set's element has no value. */
  record AddElement(ElementKey element, Optional<String> value) implements Command {}

  /** Deletes an element; refused where there is none with that key. */
  record DeleteElement(ElementKey element) implements Command {}

  /** Which element: the set or map, and the key in it. */
  record ElementKey(String set, String key) {}

  /**
   * A set or map; {@code map} tells whether its elements have values. The declaration is nft's text
   * between the braces.
   */
  record SetSpec(String name, SetKind kind, String declaration) {}

  /** Whether elements have values. */
  enum SetKind {
    SET,
    MAP
  }
}
