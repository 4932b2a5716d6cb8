// Makes ../tlog.json with golang.org/x/mod/sumdb (tlog, note), which nobody of this project wrote:
//
//	apt-get install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/vectors/tlog/make.go > tests/vectors/tlog.json
//
// The tests read the file; they need no Go.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type root struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Path  []string `json:"path"`
}

type consistency struct {
	Old   int64    `json:"old"`
	New   int64    `json:"new"`
	Proof []string `json:"proof"`
}

type tile struct {
	Path   string `json:"path"`
	Width  int    `json:"width"`
	Sha256 string `json:"sha256"`
}

type signed struct {
	Seed string `json:"seed"`
	Vkey string `json:"vkey"`
	Text string `json:"text"`
	Note string `json:"note"`
}

type file struct {
	Comment     string        `json:"comment"`
	Roots       []root        `json:"roots"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
	TilesOf     int64         `json:"tilesOf"`
	Tiles       []tile        `json:"tiles"`
	Notes       []signed      `json:"notes"`
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func hexes(hashes []tlog.Hash) []string {
	texts := []string{}
	for _, h := range hashes {
		texts = append(texts, hex.EncodeToString(h[:]))
	}
	return texts
}

func main() {
	const size = 70000
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i := int64(0); i < size; i++ {
		more, err := tlog.StoredHashes(i, []byte(fmt.Sprintf("entry %d", i)), reader)
		check(err)
		stored = append(stored, more...)
	}

	out := file{Comment: "Entry i of every tree is the text 'entry i'. Made by tests/vectors/tlog/make.go.", TilesOf: size}
	sizes := []int64{1, 2, 3, 5, 8, 13, 255, 256, 257, 300, 511, 512, 513, 65535, 65536, 65537, size}
	for _, n := range sizes {
		h, err := tlog.TreeHash(n, reader)
		check(err)
		out.Roots = append(out.Roots, root{n, hex.EncodeToString(h[:])})
		for _, index := range []int64{0, 1, n / 3, n / 2, n - 1} {
			if index >= n {
				continue
			}
			p, err := tlog.ProveRecord(n, index, reader)
			check(err)
			out.Inclusion = append(out.Inclusion, inclusion{index, n, hexes(p)})
		}
		for _, old := range sizes {
			if old >= n {
				break
			}
			p, err := tlog.ProveTree(n, old, reader)
			check(err)
			out.Consistency = append(out.Consistency, consistency{old, n, hexes(p)})
		}
	}

	for _, t := range tlog.NewTiles(8, 0, size) {
		if t.W < 256 && int64(t.W) != (size>>(8*t.L))%256 {
			continue // Go lists every width that a partial tile had on the way; C2SP needs the one of this size
		}
		data, err := tlog.ReadTileData(t, reader)
		check(err)
		sum := sha256.Sum256(data)
		// C2SP's paths are Go's without the height.
		out.Tiles = append(out.Tiles, tile{"tile/" + strings.TrimPrefix(t.Path(), "tile/8/"), t.W, hex.EncodeToString(sum[:])})
	}

	for i, n := range []int64{1, 300, size} {
		seed := sha256.Sum256([]byte(fmt.Sprintf("log key %d", i)))
		key := ed25519.NewKeyFromSeed(seed[:])
		name := fmt.Sprintf("example.com/log%d", i)
		vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
		check(err)
		verifier, err := note.NewVerifier(vkey)
		check(err)
		skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, verifier.KeyHash(), base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
		signer, err := note.NewSigner(skey)
		check(err)
		h, err := tlog.TreeHash(n, reader)
		check(err)
		text := fmt.Sprintf("%s\n%d\n%s\n", name, n, h)
		message, err := note.Sign(&note.Note{Text: text}, signer)
		check(err)
		out.Notes = append(out.Notes, signed{hex.EncodeToString(seed[:]), vkey, text, string(message)})
	}

	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	check(encoder.Encode(out))
}
