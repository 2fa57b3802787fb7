"""What ``jumpseat doctor`` looks at: one generator of findings for each thing that a running host depends on."""
