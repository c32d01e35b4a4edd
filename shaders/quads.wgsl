// What a quad's lanes get from each other: for each lane the four values of its quad, then its neighbour's to the side and
// the one across. Kernels that use quads take lanes 4i … 4i + 3 of a workgroup for quad i, in that order. WGSL does not
// promise it: it leaves open how lanes of a workgroup are dealt to subgroups.
#main workgroup group
  write_seen(lane * 6, quadBroadcast(lane, 0u));
  write_seen(lane * 6 + 1, quadBroadcast(lane, 1u));
  write_seen(lane * 6 + 2, quadBroadcast(lane, 2u));
  write_seen(lane * 6 + 3, quadBroadcast(lane, 3u));
  write_seen(lane * 6 + 4, quadSwapX(lane));
  write_seen(lane * 6 + 5, quadSwapY(lane));
#end
