import { describe, expect, it } from 'vitest';
import { standInFile } from '../../src/model/stand-in.js';

describe('a file of variables for a commit that nobody has merged', () => {
  it.each([
    ['PORT=3000\nDEBUG=true\nEMPTY=\n', 'PORT=3000\nDEBUG=true\nEMPTY=\n'],
    ['export TOKEN=hunter2 # note\n', 'TOKEN=value-of-token\n'],
    ["# a comment\n\nA_B='hunter2'\n", 'A_B=value-of-a-b\n'],
    ['PIN=123456\n', 'PIN=value-of-pin\n'],
    ['COMPOSE_PROFILES=web,worker\n', 'COMPOSE_PROFILES=web,worker\n'],
  ])('%j becomes %j', (text, expected) => {
    expect(standInFile(text)).toBe(expected);
  });

  it.each(['"', "'"])(
    'takes all lines of a value in %s for its value, also those that look like a variable',
    (quote) => {
      const key = `${quote}-----BEGIN KEY-----\nMIIEvQhunter2==\nhunter3=\n-----END KEY-----${quote}`;
      expect(standInFile(`KEY=${key}\nPORT=80\n`)).toBe('KEY=value-of-key\nPORT=80\n');
    },
  );

  it('does not take a quote with a backslash before it for the end', () => {
    expect(standInFile('A="one \\" two\nhunter2=x\nthree"\nB=1\n')).toBe('A=value-of-a\nB=1\n');
    expect(standInFile('A="one \\" two"\nB=1\n')).toBe('A=value-of-a\nB=1\n');
    expect(standInFile("A='one \\' \nB=1\n")).toBe('A=value-of-a\nB=1\n');
  });

  it('shows no line of a value whose name is left out', () => {
    expect(standInFile('MyKey="one\nhunter2=x\ntwo"\nA B="one\nhunter3=x\ntwo"\nB=1\n')).toBe('B=1\n');
  });

  it('says nothing of a value that is never closed', () => {
    expect(standInFile('A="hunter2\nhunter3=4\n')).toBe('A=value-of-a\n');
  });

  it('leaves out what is no variable, and shows no word of it', () => {
    expect(standInFile('A.B=x\nhunter2\nPORT=80\nroot:x:0:0\n')).toBe('A.B=value-of-a.b\nPORT=80\n');
  });

  it.each(['root:x:0:0:root\n', 'hunter2\n', 'aGVsbG8gd29ybGQ=\n', 'JBSWY3DPEHPK3PXP====\n', `${'a'.repeat(64)}=\n`])(
    'is none that has no variable: %j',
    (text) => {
      expect(standInFile(text)).toBeUndefined();
    },
  );
});
