package io.fairlead.testbed.archsamples.v1;

/** Stands for a generated type. */
public record Message(String name) {}
