-- SPDX-License-Identifier: Apache-2.0
-- What a person does in Neovim: look at mistakes, mend one, complete, look things up, go to them.
local failed = 0

local function same(what, is, expected)
  if not vim.deep_equal(is, expected) then
    failed = failed + 1
    io.stdout:write(what .. ': is ' .. vim.inspect(is) .. ' and not ' .. vim.inspect(expected) .. '\n')
  end
end

local function wait(what, condition)
  if not vim.wait(20000, condition, 10) then
    io.stdout:write('no ' .. what .. '\n')
    failed = failed + 1
  end
end

local function ask(method, line, character)
  local params = { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = line, character = character } }
  for _, answer in pairs(vim.lsp.buf_request_sync(0, method, params, 20000) or {}) do
    return answer.result
  end
end

local function shown()
  return vim.tbl_map(function(one)
    return { one.lnum, one.col, one.end_col, one.message }
  end, vim.diagnostic.get(0))
end

local function session()
  wait('client', function() return #vim.lsp.buf_get_clients(0) > 0 end)
  wait('diagnostics', function() return #vim.diagnostic.get(0) > 0 end)
  same('a mistake', shown(), { { 11, 10, 20, 'there is no attribute `risk.scroe`\nhint: did you mean `risk.score`?' } })

  vim.api.nvim_buf_set_text(0, 11, 15, 11, 20, { 'sco' })
  local items = ask('textDocument/completion', 11, 18)
  same('completion', vim.tbl_map(function(one) return one.label end, items.items), { 'score' })
  vim.lsp.util.apply_text_edits({ items.items[1].textEdit }, 0, 'utf-16')
  same('completed', vim.api.nvim_buf_get_lines(0, 11, 12, true), { '    when: risk.score > 60' })
  wait('mended text', function() return #vim.diagnostic.get(0) == 0 end)

  same('hover', ask('textDocument/hover', 8, 17).contents.value,
    'variable **office**\n\n`network.ip in lists.offices`\n\ntype: `bool`')
  local there = ask('textDocument/definition', 4, 33)
  same('definition', { vim.fn.fnamemodify(vim.uri_to_fname(there.uri), ':t'), there.range.start },
    { 'lists.yaml', { line = 2, character = 17 } })
  vim.api.nvim_buf_set_lines(0, 1, 2, true, { 'kind:   Policy' })
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes('\\f', true, false, true), 'mx', false)
  wait('formatted text', function() return vim.api.nvim_buf_get_lines(0, 1, 2, true)[1] == 'kind: Policy' end)
  same('omnifunc', vim.bo.omnifunc, 'v:lua.vim.lsp.omnifunc')
end

local good, why = pcall(session)
if not good then
  io.stdout:write(tostring(why) .. '\n')
end
local ok = good and failed == 0
io.stdout:write(ok and 'as expected\n' or 'not as expected\n')
for _, client in pairs(vim.lsp.get_active_clients()) do
  client.stop()
end
wait('end of the server', function() return #vim.lsp.get_active_clients() == 0 end)
vim.cmd(ok and failed == 0 and 'qa!' or 'cquit!')
