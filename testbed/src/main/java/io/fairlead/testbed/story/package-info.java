/** What happens on nodes and around them, again and again, while parts of a cluster die. */
@NullMarked
package io.fairlead.testbed.story;

import org.jspecify.annotations.NullMarked;
